"""Shots are found where a rendered video is cut, and clips follow the stated rule."""

from pathlib import Path

import av
import numpy as np
import pytest

from trailers12k.common.files import sha256_of
from trailers12k.video import clips, shots
from trailers12k.video import contact_sheets as sheets
from trailers12k.video import probe as probe_
from trailers12k.video import reader as video
from trailers12k.video.clips import Clip

SHOTS = (30, 12, 50, 24, 8, 40)
SETTINGS = {"detector": "adaptive", "min_shot": 6, "fps": 24, "fpc": 24, "keep": 0.5}


def render(path: Path, lengths: tuple[int, ...], rate: int = 24) -> Path:
    """Shots of the given lengths in frames: coloured squares that move."""
    random = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 192, 108, "yuv420p"
        for length in lengths:
            squares = random.integers(0, 255, (6, 6, 3), np.uint8)
            picture = np.kron(squares, np.ones((18, 32, 1), np.uint8))
            for i in range(length):
                pixels = np.ascontiguousarray(np.roll(picture, i, 1))
                container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def trailer(tmp_path_factory) -> Path:
    return render(tmp_path_factory.mktemp("trailers") / "trailer.mp4", SHOTS)


def row_of(mid: str, path: Path) -> dict[str, str]:
    probe = probe_.probe(path)
    return {
        "mid": mid,
        "status": "ok",
        "file": str(path),
        "sha256": sha256_of(path),
        "decoder": probe.decoder,
        "duration": f"{probe.duration:.6f}",
    }


@pytest.mark.parametrize("detector", ["adaptive", "content"])
def test_shots_are_found_where_the_cuts_are(trailer, detector):
    bounds = [0, *np.cumsum(SHOTS).tolist()]
    found = shots.find_shots(trailer, "pyav", sum(SHOTS) / 24, detector, 6, 24)
    assert found.shots == list(zip(bounds, bounds[1:], strict=False)) and found.repeated == 0


def test_no_cut_is_one_shot(tmp_path):
    path = render(tmp_path / "one.mp4", (30,))
    assert shots.find_shots(path, "pyav", 30 / 24, "adaptive", 6, 24).shots == [(0, 30)]


def test_partition_keeps_half_a_clip_and_one_clip_a_shot():
    made = clips.partition([(0, 59), (59, 95), (95, 98)], fps=24, fpc=24, keep=0.5)
    # 59 = 24 + 24 + 11: the rest is dropped; 36 = 24 + 12: kept; 3: the shot's only clip.
    frames = [(clip.shot, round(clip.start * 24), round(clip.end * 24)) for clip in made]
    assert frames == [(0, 0, 24), (0, 24, 48), (1, 59, 83), (1, 83, 95), (2, 95, 98)]
    assert [clip.clip for clip in made] == [0, 1, 2, 3, 4]


def test_a_short_clip_is_filled_with_its_last_frame():
    (clip,) = clips.partition([(7, 10)], fps=24, fpc=6)
    expected = np.array([7, 8, 9, 9, 9, 9]) / 24
    assert np.array_equal(clips.frame_times(clip, 24, 6), expected)


def test_clips_are_the_same_after_the_file(tmp_path):
    made = clips.partition([(0, 100), (100, 131)])
    clips.write_clips(tmp_path / "tt0000001.csv", "tt0000001", made)
    assert clips.read_clips(tmp_path / "tt0000001.csv") == {"tt0000001": made}


def test_a_shard_is_computed_once_and_follows_its_settings(trailer, tmp_path):
    trailers = [row_of("tt0000001", trailer), {"mid": "tt0000002", "status": "failed"}]
    broken = row_of("tt0000003", trailer) | {"file": str(tmp_path / "broken.mp4"), "sha256": "x"}
    (tmp_path / "broken.mp4").write_bytes(trailer.read_bytes()[:500])
    folders = tmp_path / "records", tmp_path / "products", tmp_path / "sheets"
    rows, table = clips.detect_shard([*trailers, broken], SETTINGS, "code", *folders)
    assert [(row["status"], row.get("reason")) for row in rows] == [
        ("ok", None),
        ("skipped", "no_trailer"),
        ("failed", "decode_failed"),
    ]
    assert (rows[0]["shots"], rows[0]["clips"]) == (6, 8) and len(table) == 8
    assert list(table[1].values()) == ["tt0000001", "1", "1", "1.250000", "1.750000"]
    assert clips.detect_shard([*trailers, broken], SETTINGS, "code", *folders) == (rows, table)
    again, table = clips.detect_shard(trailers, SETTINGS | {"keep": 0.1}, "code", *folders)
    assert again[0]["status"] == "ok" and len(table) == 9
    gone, table = clips.detect_shard(trailers[1:], SETTINGS, "code", *folders)
    assert not table and not list((tmp_path / "products").iterdir())


@pytest.fixture
def shard(trailer, tmp_path, monkeypatch):
    """A call that finds the clips of one trailer, and the paths of those which it has decoded."""
    film = tmp_path / "tt0000001.mp4"
    film.write_bytes(trailer.read_bytes())
    row, decoded = row_of("tt0000001", film), []
    find = shots.find_shots

    def find_shots(path, *rest):
        decoded.append(path)
        return find(path, *rest)

    monkeypatch.setattr(clips, "find_shots", find_shots)
    folders = tmp_path / "records", tmp_path / "products", tmp_path / "sheets"
    return lambda **changed: clips.detect_shard(
        [row | changed], SETTINGS, "code", *folders
    ), decoded


def test_the_decoding_that_finds_the_shots_makes_the_sheet_too(shard, trailer, tmp_path):
    detect, decoded = shard
    (row,), _ = detect()
    assert len(decoded) == 1
    cells = sheets.cells(tmp_path / "sheets" / "tt0000001.jpg", row["shots"])
    assert len(cells) == len(SHOTS) == row["shots"]
    middles = np.cumsum(SHOTS) - np.array(SHOTS) / 2
    frames = list(video.read_frames(trailer, "pyav", np.arange(sum(SHOTS)) / 24, 90))
    for cell, middle in zip(cells, middles, strict=True):
        apart = [np.abs(frame - np.asarray(cell, np.int16)).mean() for frame in frames]
        # Squares that move by a pixel a frame: the nearest frame is the one that is shown.
        assert abs(int(np.argmin(apart)) - middle) <= 4
    assert (row["black"], row["still"], row["frozen"]) == ("0.000", "0.000", "0.00")


def test_a_missing_sheet_is_made_again_where_the_trailer_is_here(shard, tmp_path):
    detect, decoded = shard
    expected, sheet = detect(), tmp_path / "sheets" / "tt0000001.jpg"
    whole = sheet.read_bytes()
    sheet.unlink()
    rows, table = detect()
    assert len(decoded) == 2 and sheet.read_bytes() == whole
    # Only the count of tries tells it.
    rows[0]["attempts"] = 1
    assert (rows, table) == expected


def test_a_clone_without_videos_misses_no_sheet(shard, tmp_path):
    detect, decoded = shard
    expected = detect()
    (tmp_path / "sheets" / "tt0000001.jpg").unlink()
    (tmp_path / "tt0000001.mp4").unlink()
    assert detect() == expected and len(decoded) == 1


def test_a_movie_whose_trailer_is_lost_keeps_no_sheet_and_others_do(shard, tmp_path):
    detect, _ = shard
    detect()
    other = tmp_path / "sheets" / "tt0000002.jpg"
    other.touch()
    detect(status="failed")
    assert list((tmp_path / "sheets").iterdir()) == [other], "it may be of another shard"


def test_clip_times_are_rounded_as_in_the_file():
    assert clips.partition([(1, 25)])[0] == Clip(0, 0, 0.041667, 1.041667)


@pytest.mark.parametrize(("rate", "repeated"), [(12, 72), (24, 0), (30, 0), (60, 0)])
def test_what_repeats_because_the_file_has_no_more_is_counted(tmp_path, rate, repeated):
    """Six seconds at another rate: at 12 frames a second, every other one of the grid repeats."""
    path = render(tmp_path / "trailer.mp4", (3 * rate, 3 * rate), rate)
    found = shots.find_shots(path, "pyav", 6.0, "adaptive", 6, 24)
    assert found.shots == [(0, 72), (72, 144)] and found.repeated == repeated


def test_the_seconds_of_a_clip_cut_it_out_of_the_file(trailer):
    """By clips.csv alone, with PyAV: the frames from `start` on and before `end`."""
    made, _ = clips.find_clips(trailer, "pyav", sum(SHOTS) / 24, SETTINGS)
    with av.open(str(trailer)) as container:
        frames = [(float(f.time), f.to_ndarray(format="rgb24")) for f in container.decode(video=0)]
    origin = frames[0][0]
    for clip in made:
        cut = [f for t, f in frames if clip.start - 1e-3 <= t - origin < clip.end - 1e-3]
        read = list(video.read_frames(trailer, "pyav", clips.frame_times(clip)))
        assert len(cut) == round((clip.end - clip.start) * 24) and len(read) == 24
        assert all(np.array_equal(a, b) for a, b in zip(cut, read, strict=False))
        assert all(np.array_equal(cut[-1], frame) for frame in read[len(cut) :])


def test_merged_tables_are_one_table_by_mid(tmp_path):
    rows = {mid: [Clip(0, 0, 0.0, 1.0), Clip(1, 0, 1.0, 2.0)] for mid in ("tt0000003", "tt0000001")}
    for mid, found in (*rows.items(), ("tt0000002", [])):
        clips.write_clips(tmp_path / f"{mid}.csv", mid, found)
    assert clips.merge(sorted(tmp_path.glob("tt*.csv")), tmp_path / "all.csv") == (2, 4)
    assert clips.read_clips(tmp_path / "all.csv") == rows
    assert (tmp_path / "all.csv").read_text().splitlines()[1] == "tt0000001,0,0,0.000000,1.000000"
    (tmp_path / "other.csv").write_text("mid,offset,clips\n")
    with pytest.raises(ValueError, match="other.csv is no table of clips"):
        clips.merge([tmp_path / "other.csv"], tmp_path / "all.csv")
