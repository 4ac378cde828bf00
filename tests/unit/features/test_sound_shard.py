"""Stores of sound in a job: beside stores of frames, alone, and where there is nothing to hear."""

import pickle
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from trailers12k.common.errors import Failure, UserError
from trailers12k.features import batch_sizes, extraction, integrity, store_index
from trailers12k.features import shard as shards
from trailers12k.features import store as stores
from trailers12k.features.backbones import devices
from trailers12k.features.backbones.sound import SoundBackbone, SoundNet
from trailers12k.features.backbones.sound_spec import SoundSpec
from trailers12k.features.backbones.transfer import Transfer
from trailers12k.features.recipes import recipe_of
from trailers12k.features.shard_store import ShardMovies, StoreRequest
from trailers12k.video import reader

from .trailers import CUT, SETTINGS, content, row_of, write_trailer

LIGHT = {
    "model": "torchvision/shufflenet_v2_x0_5",
    "input": "frames",
    "weights": "random",
    "precision": "fp32",
    "size": 64,
    "batch": 8,
    "image_frames": 2,
}
HEARD = {"model": "logmel/16", "input": "audio", "weights": "none"}
SPECS = {"light": LIGHT, "heard": HEARD, "wide": HEARD | {"model": "logmel/64", "context": 0.5}}
MIDS = ("tt0000001", "tt0000002", "tt0000003", "tt0000004")

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def trailers(tmp_path_factory) -> list[Path]:
    """With sound, without a track, with a silent one, and with one that is damaged."""
    folder = tmp_path_factory.mktemp("trailers")
    loudness = {"heard": 0.5, "mute": None, "silent": 0.0}
    paths = [write_trailer(folder / f"{name}.mp4", own) for name, own in loudness.items()]
    damaged = folder / "damaged.mp4"
    damaged.write_bytes(noisy_packets(paths[0]))
    return [*paths, damaged]


def noisy_packets(path: Path) -> bytes:
    """A file whose packets of sound hold noise."""
    data, random = bytearray(path.read_bytes()), np.random.default_rng(0)
    with av.open(str(path)) as container:
        for packet in container.demux(audio=0):
            if packet.size:
                data[packet.pos : packet.pos + packet.size] = random.bytes(packet.size)
    return bytes(data)


def movies_of(trailers: Iterable[Path], **columns: str) -> ShardMovies:
    rows = [row_of(mid, path) | columns for mid, path in zip(MIDS, trailers, strict=False)]
    return ShardMovies(rows, {row["mid"]: CUT for row in rows}, SETTINGS)


def request_of(folder: Path, name: str, **keys) -> StoreRequest:
    recipe = recipe_of(SPECS[name] | keys, SETTINGS, "code", 0, None)
    own = folder / name
    return StoreRequest(name, recipe, own / "records", own / "s.zarr", own / "index.csv")


def extract(folder: Path, movies: ShardMovies, *groups: Iterable[str]) -> dict[str, list[dict]]:
    rows = {}
    for group in groups:
        rows |= shards.extract_shard([request_of(folder, name) for name in group], movies)
    return rows


def states(rows: list[dict]) -> list[tuple]:
    return [
        (row["status"], row.get("reason"), row.get("detail", "").partition(":")[0]) for row in rows
    ]


def test_no_sound_is_a_reason_of_stores_of_sound_alone(trailers, tmp_path):
    rows = extract(tmp_path, movies_of(trailers), ["light", "heard"])
    assert [row["status"] for row in rows["light"]] == ["ok"] * 4
    first, *others = states(rows["heard"])
    assert first[0] == "ok"
    assert others == [("skipped", "no_sound", word) for word in ("no_track", "silent", "damaged")]
    group = tmp_path / "heard" / "s.zarr"
    assert stores.movies(group) == [MIDS[0]], "no rows of zeros"
    features = stores.read(group, MIDS[0])
    assert features.shape == (3, 32) and features.dtype == np.float32
    assert np.abs(features[0] - features[2]).max() > 0.5, "another tone in the last clip"
    about = stores.attributes(group)
    assert (about["input"], about["sample_rate"], about["batch"]) == ("audio", 16_000, 8)


def test_what_the_ledger_knows_is_not_decoded(trailers, tmp_path):
    known = {
        "video_only: downloaded": {"sound_channels": "0", "title": "A", "format": "134"},
        "no_track: ": {"sound_channels": "0"},
        "silent: ": {"sound_codec": "aac", "sound_channels": "1", "silent": "1"},
    }
    for number, (words, columns) in enumerate(known.items()):
        movies = movies_of([trailers[1]], **columns)
        (row,) = extract(tmp_path / str(number), movies, ["heard"])["heard"]
        assert (row["status"], row["reason"]) == ("skipped", "no_sound")
        assert row["detail"].startswith(words)
    # A row of before these columns, of a site.
    (row,) = extract(tmp_path / "old", movies_of([trailers[1]], format="134"), ["heard"])["heard"]
    assert row["status"] == "skipped" and row["detail"].startswith("video_only: ")


def test_groups_decide_no_byte_and_no_row(trailers, tmp_path):
    movies = movies_of(trailers)
    expected = extract(tmp_path / "all", movies, SPECS)
    other = extract(tmp_path / "each", movies, *[[name] for name in SPECS])
    assert other == expected
    assert content(tmp_path / "each") == content(tmp_path / "all")


def test_a_trailer_whose_frames_fail_is_heard_as_in_a_job_of_its_own(
    trailers, tmp_path, monkeypatch
):
    def broken(*arguments, **keys):
        raise Failure("decode_failed", "a frame")

    monkeypatch.setattr(extraction, "extract_trailer", broken)
    rows = extract(tmp_path, movies_of(trailers[:1]), ["light", "heard"])
    assert [rows[name][0]["status"] for name in ("light", "heard")] == ["failed", "ok"]


def test_a_store_of_sound_is_added_without_decoding_a_frame(trailers, tmp_path, monkeypatch):
    movies = movies_of(trailers)
    extract(tmp_path, movies, ["light"])
    before = content(tmp_path)

    def decoded(*arguments):
        raise AssertionError("a frame of a clip is decoded")

    monkeypatch.setattr(reader, "read_frames", decoded)
    rows = extract(tmp_path, movies, ["light", "heard"])
    assert rows["heard"][0]["status"] == "ok"
    after = content(tmp_path)
    assert {name: after[name] for name in before} == before
    # Again: nothing is computed, and torch is not needed.
    job = tmp_path / "job"
    job.write_bytes(pickle.dumps(([request_of(tmp_path, n) for n in ("light", "heard")], movies)))
    program = (
        "import pickle, sys; from trailers12k.features.shard import extract_shard; "
        "extract_shard(*pickle.load(open(sys.argv[1], 'rb'))); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program, job], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr
    assert content(tmp_path) == after


def test_the_context_belongs_to_the_numbers_and_the_batch_does_not(trailers, tmp_path, caplog):
    caplog.set_level("INFO")
    movies = movies_of(trailers[:1])
    extract(tmp_path, movies, ["heard"])
    before = content(tmp_path)
    shards.extract_shard([request_of(tmp_path, "heard", batch=1)], movies)
    assert content(tmp_path) == before
    caplog.clear()
    shards.extract_shard([request_of(tmp_path, "heard", context=0.25)], movies)
    assert "1 computed, 0 kept" in caplog.text
    assert stores.attributes(tmp_path / "heard" / "s.zarr")["context"] == 0.25
    one = tmp_path / "one"
    shards.extract_shard([request_of(one, "heard", context=0.25, batch=1)], movies)
    arrays = [stores.read(folder / "heard" / "s.zarr", MIDS[0]) for folder in (tmp_path, one)]
    np.testing.assert_array_equal(*arrays)


def test_a_damaged_array_is_found_and_computed_again(trailers, tmp_path, caplog):
    movies = movies_of(trailers[:1])
    extract(tmp_path, movies, ["heard"])
    before, group = content(tmp_path), tmp_path / "heard" / "s.zarr"
    assert integrity.verify(group) == []
    (chunk,) = [path for path in (group / MIDS[0]).iterdir() if not path.name.startswith(".")]
    chunk.write_bytes(chunk.read_bytes()[:-7])
    assert [fault.mid for fault in integrity.verify(group)] == [MIDS[0]]
    caplog.set_level("INFO")
    extract(tmp_path, movies, ["heard"])
    assert "computed again" in caplog.text and content(tmp_path) == before
    assert store_index.read_index(tmp_path / "heard" / "index.csv").keys() == {MIDS[0]}


WINDOWS = [np.full(100 + n, n, np.float32) for n in range(7)]


def network(most: int, batch: int | str = 8, device: devices.Device | None = None):
    """A model whose features are a window's first sample; more than `most` do not fit."""

    def compute(windows):
        tried.append(len(windows))
        if len(windows) > most:
            raise torch.OutOfMemoryError
        return torch.tensor([[float(window[0])] for window in windows])

    tried: list[int] = []
    spec = SoundSpec("logmel/8", "none", batch=batch)
    net = SoundNet(compute, 1, 100, "none", {})
    return SoundBackbone(net, spec, device or devices.cpu()), spec, tried


def test_a_batch_that_does_not_fit_is_halved(caplog):
    backbone, _, tried = network(most=2)
    np.testing.assert_array_equal(backbone(WINDOWS)[:, 0], np.arange(7))
    assert tried == [7, 3, 1, *[1] * 6] and backbone.attributes["batch"] == backbone.batch == 1
    assert "out of memory with a batch of 7: continuing with 3" in caplog.text
    with pytest.raises(UserError, match="not even one clip's sound fits"):
        network(most=0)[0](WINDOWS)


def test_a_model_that_cannot_take_a_window_says_so():
    backbone, _, _ = network(most=9)
    backbone._net = replace(
        backbone._net, compute=lambda windows: torch.zeros(1, 4) @ torch.ones(3)
    )
    with pytest.raises(UserError, match="logmel/8: it cannot take 106 samples: .*choose another"):
        backbone(WINDOWS)


def test_a_gpus_batch_of_windows_is_measured_once_and_the_cpus_is_fixed(tmp_path, monkeypatch):
    file = tmp_path / "devices.json"
    monkeypatch.setattr(batch_sizes, "MOST", 4)
    own = devices.cpu()
    staged = replace(own, transfer=Transfer(torch.device("cpu"), own.meter, pinned=False), name="G")
    backbone, spec, tried = network(most=2, batch="auto", device=staged)
    batch_sizes.set_sound_batch(backbone, spec, 1.0, file)
    assert backbone.batch in (1, 2) and max(tried) == 4
    again, spec, tried = network(most=2, batch="auto", device=staged)
    batch_sizes.set_sound_batch(again, spec, 1.0, file)
    assert again.batch == backbone.batch and tried == []
    on_cpu, spec, tried = network(most=2, batch="auto")
    batch_sizes.set_sound_batch(on_cpu, spec, 1.0, file)
    assert on_cpu.batch == spec.initial_batch and tried == []
