"""`trailers12k clips cut`: where no clip is written, and from which trailer none is cut."""

import os
from pathlib import Path

import av
import numpy as np
import pytest

from trailers12k.cli.collection import read_settings
from trailers12k.common.movie import shard_of
from trailers12k.jobs import ledger
from trailers12k.video.clip_table import write_clips
from trailers12k.video.clips import Clip

MID = "tt0111161"
TRAILER = Path("build/trailers") / f"{MID}.mp4"


def render(path: Path) -> None:
    """A video of two seconds."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for shade in range(48):
            image = np.full((48, 64, 3), 4 * shade, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))


@pytest.fixture
def trailer(collection) -> Path:
    """The trailer of a movie with one clip; the user's own file is films/own.mp4."""
    for name in ("data", "results", ".snakemake", "films", "build/trailers"):
        (collection / name).mkdir(parents=True)
    render(TRAILER)
    Path("films/own.mp4").write_bytes(TRAILER.read_bytes())
    write_clips(Path("data/clips.csv"), MID, [Clip(0, 0, 0.0, 1.0)])
    row = {"mid": MID, "status": "ok", "file": str(TRAILER), "decoder": "pyav"}
    row |= {"bytes": TRAILER.stat().st_size, "address": "films/own.mp4"}
    extra = [name for name in row if name not in ledger.COLUMNS]
    shard = shard_of(MID, read_settings().shards)
    ledger.write_shard(f"build/ledger/trailers/{shard}.csv", [row], extra)
    return TRAILER


def test_a_clip_is_cut_and_replaces_an_earlier_one(trailer, call):
    Path("clip.mp4").write_bytes(b"earlier")
    code, out, err = call("clips", "cut", MID, 0, "clip.mp4")
    assert (code, err) == (0, "") and out.startswith(f"clip.mp4: 24 frames of {MID}")
    with av.open("clip.mp4") as container:
        assert sum(1 for _ in container.decode(video=0)) == 24


@pytest.mark.parametrize(
    ("out", "fault"),
    [
        ("config.yaml", "config.yaml does not end in .mp4"),
        ("films/clip", "films/clip does not end in .mp4"),
        ("none/clip.mp4", "the folder none does not exist"),
        ("data/clip.mp4", "data/clip.mp4 is in the collection's folder data/"),
        (f"build/trailers/{MID}.mp4", "in the collection's folder build/"),
        ("films/../results/clip.mp4", "in the collection's folder results/"),
        (".snakemake/clip.mp4", "in the collection's folder .snakemake/"),
        ("to_data/clip.mp4", "in the collection's folder data/"),
        ("link.mp4", "in the collection's folder build/"),
        ("build/out.mp4", "in the collection's folder build/"),
        ("hard.mp4", "hard.mp4 is the trailer itself"),
        ("films/own.mp4", "films/own.mp4 is the trailer itself"),
    ],
)
def test_no_clip_is_written_over_files_of_the_collection(trailer, call, snapshot_of, out, fault):
    Path("to_data").symlink_to("data")
    Path("link.mp4").symlink_to(TRAILER)
    Path("build/out.mp4").symlink_to("../films/new.mp4")
    os.link(TRAILER, "hard.mp4")
    before = snapshot_of(Path())
    code, text, err = call("clips", "cut", MID, 0, out)
    assert (code, text) == (2, "") and len(err.splitlines()) == 1
    assert err.startswith("error: ") and fault in err
    assert snapshot_of(Path()) == before


def test_no_clip_is_cut_from_another_file_than_its_trailer(trailer, call):
    size = TRAILER.stat().st_size
    with TRAILER.open("ab") as file:
        file.write(b"more")
    code, _, err = call("clips", "cut", MID, 0, "clip.mp4")
    assert code == 2 and not Path("clip.mp4").exists()
    assert err == (
        f"error: {TRAILER} is damaged or was edited ({size + 4} of {size} bytes); run: trailers12k "
        "verify --repair\n"
    )
