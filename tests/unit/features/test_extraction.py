"""Features of clips and posters are in the right rows, and only what changed is computed."""

import os
import re
import shutil
import threading
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from trailers12k.common.errors import Failure
from trailers12k.features import extraction, integrity, store_index
from trailers12k.features import shard as shards
from trailers12k.features import store as stores
from trailers12k.features.backbones import devices, loading
from trailers12k.features.backbones.batching import Batches
from trailers12k.features.backbones.common import Backbone
from trailers12k.features.backbones.meter import Meter
from trailers12k.features.backbones.spec import BackboneSpec
from trailers12k.features.backbones.transfer import Transfer
from trailers12k.features.backbones.transforms import Resize
from trailers12k.features.recipe import Sampling, recipe_of
from trailers12k.features.shard_store import ShardMovies, StoreRequest
from trailers12k.video import clip_table
from trailers12k.video import reader as video
from trailers12k.video.clips import Clip, frame_times
from trailers12k.video.picture import Bars

from .trailers import CUT, SETTINGS, row_of, write_trailer

FRAMES = {
    "model": "torchvision/shufflenet_v2_x0_5",
    "weights": "random",
    "input": "frames",
    "precision": "fp32",
    "size": 64,
    "batch": 8,
    "image_frames": 2,
}
CLIPS = {
    "model": "shufflenet3d/1.0x",
    "weights": "random",
    "input": "clips",
    "precision": "fp32",
    "size": 56,
    "batch": 2,
}
POSTERS = FRAMES | {"input": "posters"}


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def trailer(tmp_path_factory) -> Path:
    return write_trailer(tmp_path_factory.mktemp("trailers") / "trailer.mp4")


def load(spec: dict) -> Backbone:
    return loading.load(BackboneSpec(**spec), 0)


def request_of(folder: Path, spec: dict, settings: dict, seed: int = 0, name: str = "store"):
    recipe = recipe_of(BackboneSpec(**spec), settings, "code", seed, None)
    own = folder if name == "store" else folder / name
    return StoreRequest(name, recipe, own / "records", own / "store.zarr", own / "index.csv")


def shard(folder: Path, spec: dict, sources: list[dict], cut: dict, **options) -> list[dict]:
    """One store of a shard."""
    settings = options.get("settings", SETTINGS)
    movies = ShardMovies(sources, cut, settings, options.get("bars", {}))
    machine = shards.Machine(
        options.get("device", "auto"), options.get("threads", 1), options.get("across", False)
    )
    request = request_of(folder, spec, settings, options.get("seed", 0))
    return shards.extract_shard([request], movies, machine)["store"]


@pytest.mark.parametrize(("spec", "ahead"), [(FRAMES, False), (FRAMES, True), (CLIPS, False)])
def test_row_i_is_clip_i(trailer, spec, ahead):
    """Against frames read one clip at a time; the last clip is filled with its last frame."""
    backbone = load(spec)
    count = spec.get("image_frames")
    values = extraction.extract_trailer(
        {"store": (backbone, Sampling(24, 24, count))}, trailer, "pyav", CUT, ahead
    )["store"]
    numbers = [6, 18] if count else range(24)
    for row, clip, real in zip(values, CUT, (24, 24, 12), strict=True):
        times = [clip.start + min(i, real - 1) / 24 for i in numbers]
        frames = np.stack(list(video.read_frames(trailer, "pyav", times)))
        np.testing.assert_allclose(row, backbone(frames[None])[0], rtol=1e-3, atol=1e-5)
    assert np.abs(values[1] - values[2]).max() > 1e-2


def test_networks_of_one_pass_get_what_they_get_alone(trailer, monkeypatch):
    """Bit by bit, each its own frames. Equal resizes are made once, and of a frame that repeats."""
    networks = {
        "two": (load(FRAMES), Sampling(24, 24, 2)),
        "three": (load(FRAMES | {"batch": 5}), Sampling(24, 24, 3)),
        "clips": (load(CLIPS), Sampling(24, 24)),
    }
    resized: dict[Resize, int] = {}
    resize = Resize.__call__

    def counted(self, frames):
        resized[self] = resized.get(self, 0) + len(frames)
        return resize(self, frames)

    monkeypatch.setattr(Resize, "__call__", counted)
    together = extraction.extract_trailer(networks, trailer, "pyav", CUT)
    # Of each clip frames 4, 6, 12, 18 and 20; the last one has no more than twelve.
    assert resized == {networks["two"][0].transform: 13, networks["clips"][0].transform: 60}
    for store, own in networks.items():
        alone = extraction.extract_trailer({store: own}, trailer, "pyav", CUT)
        assert np.array_equal(together[store], alone[store])


@pytest.mark.parametrize("limit", [0, 30, 100])
def test_chunks_of_frames_are_bounded_and_lose_none(limit):
    """Frames of twelve bytes; one is repeated, as at the end of a short clip."""
    distinct = [np.full((2, 2, 3), n, np.uint8) for n in range(9)]
    frames = [*distinct[:4], *[distinct[4]] * 5, *distinct[5:]]
    shown, most = [], 0
    for chunk, numbers in extraction._chunks(iter(frames), limit):
        shown += [chunk[number] for number in numbers]
        most = max(most, sum(frame.nbytes for frame in chunk))
    assert [one is other for one, other in zip(shown, frames, strict=True)] == [True] * 13
    assert most == {0: 12, 30: 24, 100: 96}[limit]


def test_chosen_frames_are_evenly_spaced():
    assert extraction.spread(1, 24).tolist() == [12]
    assert extraction.spread(2, 24).tolist() == [6, 18]
    assert extraction.spread(24, 24).tolist() == list(range(24))


def test_a_poster_of_any_mode_is_one_vector(tmp_path):
    backbone = load(POSTERS)
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (90, 60, 3), np.uint8))
    picture.save(tmp_path / "rgb.png")
    picture.convert("RGBA").save(tmp_path / "rgba.png")
    rgb = extraction.extract_poster(backbone, tmp_path / "rgb.png")
    assert rgb.shape == (1, backbone.num_features) and rgb.dtype == np.float32
    assert np.array_equal(rgb, extraction.extract_poster(backbone, tmp_path / "rgba.png"))
    (tmp_path / "cut.png").write_bytes((tmp_path / "rgb.png").read_bytes()[:200])
    with pytest.raises(Failure, match="decode_failed"):
        extraction.extract_poster(backbone, tmp_path / "cut.png")


def test_a_shard_has_a_row_for_every_movie(trailer, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(trailer.read_bytes()[:500])
    sources = [
        row_of("tt0000001", trailer),
        {"mid": "tt0000002", "status": "failed"},
        row_of("tt0000003", trailer),
        row_of("tt0000004", broken),
    ]
    rows = shard(tmp_path, FRAMES, sources, {"tt0000001": CUT, "tt0000004": CUT})
    assert [(row["status"], row.get("reason")) for row in rows] == [
        ("ok", None),
        ("skipped", "no_trailer"),
        ("skipped", "no_clips"),
        ("failed", "decode_failed"),
    ]
    store = tmp_path / "store.zarr"
    assert integrity.verify(store) == [] and stores.movies(store) == ["tt0000001"]
    assert stores.shape(store, "tt0000001") == (3, 1024) and rows[0]["clips"] == 3
    array = stores.attributes(store, "tt0000001")
    assert array["fingerprint"] == rows[0]["fingerprint"]
    assert array["source_sha256"] == sources[0]["sha256"]
    group = stores.attributes(store)
    assert group["num_features"] == 1024 and group["image_frames"] == 2 and group["fps"] == 24
    assert {"weights_sha256", "preprocessing", "decoder", "detector", "versions"} <= set(group)


def test_a_damaged_array_is_computed_again_and_nothing_else(trailer, tmp_path, caplog):
    """Its ledger row and its values are as before, and the other array is not read."""
    sources = [row_of(mid, trailer) for mid in ("tt0000001", "tt0000002", "tt0000003")]
    cut = {row["mid"]: CUT[:1] for row in sources}
    store, index = tmp_path / "store.zarr", tmp_path / "index.csv"
    rows = shard(tmp_path, FRAMES, sources, cut)
    assert set(store_index.read_index(index)) == set(cut)
    before = [stores.read(store, mid).tobytes() for mid in cut]
    whole, inode = store / "tt0000003" / "0.0", (store / "tt0000003" / "0.0").stat().st_ino
    chunk = store / "tt0000001" / "0.0"
    chunk.write_bytes(chunk.read_bytes()[::-1])
    shutil.rmtree(store / "tt0000002")
    caplog.set_level("INFO")
    assert shard(tmp_path, FRAMES, sources, cut) == rows
    assert "2 computed, 1 kept" in caplog.text and "tt0000001" in caplog.text
    assert [stores.read(store, mid).tobytes() for mid in cut] == before
    assert whole.stat().st_ino == inode
    for mid, (_, signature) in store_index.read_index(index).items():
        assert signature == store_index.signature(store / mid)


def test_a_copied_shard_is_read_once_and_kept(trailer, tmp_path, caplog, monkeypatch):
    sources, cut = [row_of("tt0000001", trailer)], {"tt0000001": CUT[:1]}
    rows = shard(tmp_path, FRAMES, sources, cut)
    for path in (tmp_path / "store.zarr").rglob("*"):
        os.utime(path, (1, 1))
    reads, whole = [], stores.fault_of_values
    monkeypatch.setattr(stores, "fault_of_values", lambda *args: reads.append(args) or whole(*args))
    caplog.set_level("INFO")
    for _ in range(2):
        assert shard(tmp_path, FRAMES, sources, cut) == rows
    assert caplog.text.count("store: 0 computed, 1 kept") == 2 and len(reads) == 1


def test_only_what_changed_is_computed(trailer, tmp_path, monkeypatch, caplog):
    sources = [row_of("tt0000001", trailer), row_of("tt0000002", trailer)]
    cut = {"tt0000001": CUT, "tt0000002": CUT[:1]}
    loads = []
    load = loading.load
    monkeypatch.setattr(loading, "load", lambda *args: loads.append(args) or load(*args))

    def computed(spec=CLIPS, sources=sources, **options) -> str:
        caplog.clear()
        shard(tmp_path, spec, sources, cut, **options)
        return re.search(r"\d+ computed, \d+ kept", caplog.text)[0]

    caplog.set_level("INFO")
    assert computed() == "2 computed, 0 kept" and len(loads) == 1
    (tmp_path / "store.zarr" / ".zgroup").unlink()  # as Snakemake does before a job
    assert computed() == "0 computed, 2 kept" and len(loads) == 1
    assert (tmp_path / "store.zarr" / ".zgroup").exists()
    assert computed(CLIPS | {"batch": 1}) == "0 computed, 2 kept" and len(loads) == 1
    cut["tt0000002"] = CUT[1:]
    assert computed() == "1 computed, 1 kept"
    assert computed(seed=1) == "2 computed, 0 kept"
    assert stores.attributes(tmp_path / "store.zarr")["weights"] == "random, seed 1"
    assert computed(sources=sources[:1], seed=1) == "0 computed, 1 kept"
    assert stores.movies(tmp_path / "store.zarr") == ["tt0000001"]


def test_settings_that_lead_to_the_same_clips_compute_nothing(trailer, tmp_path, caplog):
    """But the store says how its clips were made."""
    caplog.set_level("INFO")
    for detector in ("adaptive", "content"):
        settings = SETTINGS | {"detector": detector}
        (row,) = shard(
            tmp_path, CLIPS, [row_of("tt0000001", trailer)], {"tt0000001": CUT}, settings=settings
        )
        assert row["status"] == "ok"
        assert stores.attributes(tmp_path / "store.zarr")["detector"] == detector
    assert "1 computed, 0 kept" in caplog.text and "0 computed, 1 kept" in caplog.text


def test_a_shard_without_posters_still_has_its_store(tmp_path):
    sources = [{"mid": "tt0000001", "status": "failed"}]
    (row,) = shard(tmp_path, POSTERS, sources, {}, settings={})
    assert (row["status"], row["reason"]) == ("skipped", "no_poster")
    assert stores.attributes(tmp_path / "store.zarr")["num_features"] == 1024


@pytest.mark.parametrize("spec", [FRAMES, CLIPS])
def test_no_result_depends_on_threads_or_on_other_movies(spec, trailer, tmp_path):
    mids = [f"tt{n:07d}" for n in range(1, 6)]
    cut = {mid: CUT[: 1 + n % 3] for n, mid in enumerate(mids)}
    sources = [row_of(mid, trailer) for mid in mids]
    shard(tmp_path / "one", spec, sources, cut)
    shard(tmp_path / "three", spec, sources, cut, threads=3)
    shard(tmp_path / "alone", spec, sources[2:3], cut)
    one, three = tmp_path / "one" / "store.zarr", tmp_path / "three" / "store.zarr"
    assert stores.movies(three) == mids
    for mid in mids:
        assert np.array_equal(stores.read(one, mid), stores.read(three, mid))
    alone = tmp_path / "alone" / "store.zarr"
    assert np.array_equal(stores.read(one, mids[2]), stores.read(alone, mids[2]))


def test_a_shard_touches_no_file_of_another(trailer, tmp_path):
    def state() -> dict:
        paths = [path for path in (tmp_path / "a").rglob("*") if path.is_file()]
        return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in paths}

    cut = {"tt0000001": CUT, "tt0000002": CUT}
    shard(tmp_path / "a", CLIPS, [row_of("tt0000001", trailer)], cut)
    before = state()
    shard(tmp_path / "b", CLIPS, [row_of("tt0000002", trailer)], cut)
    assert before and state() == before


def test_a_device_is_claimed_only_when_something_is_computed(trailer, tmp_path, monkeypatch):
    claims = []
    claimed = devices.claimed

    def watched(requested):
        claims.append(requested)
        return claimed("cpu")

    monkeypatch.setattr(devices, "claimed", watched)
    for _ in range(2):
        movies = [row_of("tt0000001", trailer)], {"tt0000001": CUT}
        shard(tmp_path, CLIPS, *movies, device="cuda:1", threads=2)
    assert claims == ["cuda:1"]


@pytest.mark.parametrize("across", [False, True])
def test_another_device_computes_only_what_is_missing(trailer, tmp_path, monkeypatch, across):
    """The pipeline of a GPU, run by the CPU: the same features, and no fingerprint has the device.

    Batches across trailers hold clips of both new movies.
    """
    movies = [row_of(f"tt000000{n}", trailer) for n in range(1, 4)]
    cut = {row["mid"]: CUT for row in movies}
    store, spec = tmp_path / "store.zarr", CLIPS | {"batch": 4}
    shard(tmp_path, spec, movies[:1], cut)
    before = (store / "tt0000001/.zattrs").read_bytes()
    transfer = Transfer(torch.device("cpu"), Meter(), pinned=False)
    gpu = replace(devices.cpu(), name="cuda (made up)", transfer=transfer)
    monkeypatch.setattr(devices, "claimed", lambda requested: nullcontext(gpu))
    monkeypatch.setattr(Backbone, "forward", watched := counting(Backbone.forward))
    # Both have begun before either adds a clip.
    begin, begun = Batches.begin, threading.Barrier(2)
    monkeypatch.setattr(Batches, "begin", lambda own: (begin(own), begun.wait(timeout=30))[0])
    shard(tmp_path, spec, movies, cut, threads=2, across=across)
    assert watched.sizes == ([4, 2] if across else [3, 3])
    assert (store / "tt0000001/.zattrs").read_bytes() == before
    own = stores.attributes(store, "tt0000002")
    assert (own["device"], own["batch"]) == ("cuda (made up)", 4)
    assert own.get("batch_across") == (across or None)
    meter = gpu.meter  # the job's own
    assert (meter.decoded, meter.cropped, meter.computed) == (144, 144, 144)
    expected = stores.read(store, "tt0000001")
    for mid in ("tt0000002", "tt0000003"):
        np.testing.assert_allclose(stores.read(store, mid), expected, rtol=1e-4, atol=1e-6)


def counting(forward):
    """`Backbone.forward` with the numbers of clips of its batches."""

    def counted(backbone, pixels):
        counted.sizes.append(len(pixels))
        return forward(backbone, pixels)

    counted.sizes = []
    return counted


def test_a_store_records_what_computed_each_array(trailer, tmp_path):
    source = row_of("tt0000001", trailer)
    shard(tmp_path, FRAMES, [source], {"tt0000001": CUT})
    store = tmp_path / "store.zarr"
    own, group = stores.attributes(store, "tt0000001"), stores.attributes(store)
    assert own["source_sha256"] == source["sha256"] and own["decoder"] == "pyav"
    assert own["precision"] == "fp32" and own["device"] == "cpu"
    assert own["batch"] == group["batch"] == 8 and "batch_across" not in own
    made_of = own["source_sha256"], own["decoder"], CUT
    assert own["fingerprint"] == stores.array_fingerprint(group["determined_by"], *made_of)
    assert "batch" not in group["determined_by"]["spec"]
    clip_table.write_clips(tmp_path / "clips.csv", "tt0000001", CUT)
    assert integrity.verify(store, clips=tmp_path / "clips.csv") == []
    clip_table.write_clips(tmp_path / "clips.csv", "tt0000001", [CUT[0], CUT[1], Clip(2, 1, 2, 3)])
    (fault,) = integrity.verify(store, clips=tmp_path / "clips.csv")
    assert fault.reason == "made from other clips or settings than clips.csv and the store say"


def test_the_seed_determines_features_of_random_weights_only():
    def determined(weights, seed):
        spec = BackboneSpec(**CLIPS | {"weights": weights})
        return recipe_of(spec, SETTINGS, "code", seed, None).determined_by

    assert determined("random", 1)["seed"] == 1 and determined("random", 2)["seed"] == 2
    assert determined("pretrained", 1) == determined("pretrained", 2)
    random = [stores.array_fingerprint(determined("random", n), "a", "pyav", CUT) for n in (1, 2)]
    assert random[0] != random[1]


def test_bars_are_cut_off_where_the_settings_say_so(trailer, tmp_path):
    """The fingerprint has the bars: other bars compute the array again, without them nothing."""
    source, cut = [row_of("tt0000001", trailer)], {"tt0000001": CUT}
    clip_table.write_clips(tmp_path / "clips.csv", "tt0000001", CUT)
    arrays, fingerprints = [], set()
    for crop_bars, top in ((False, 0.2), (True, 0.2), (True, 0.3)):
        settings = SETTINGS | {"crop_bars": crop_bars}
        bars = {"tt0000001": Bars(top=top)}
        (row,) = shard(tmp_path, FRAMES, source, cut, settings=settings, bars=bars)
        store = tmp_path / "store.zarr"
        arrays.append(stores.read(store, "tt0000001"))
        fingerprints.add(row["fingerprint"])
        own = stores.attributes(store, "tt0000001")
        assert own.get("bars") == ([top, 0.0, 0.0, 0.0] if crop_bars else None)
        assert integrity.verify(store, clips=tmp_path / "clips.csv") == []
    assert len(fingerprints) == 3
    assert np.abs(arrays[0] - arrays[1]).max() > 1e-3 < np.abs(arrays[1] - arrays[2]).max()
    whole = load(FRAMES)
    times = [clip_time for clip in CUT for clip_time in frame_times(clip)[[6, 18]]]
    frames = list(video.read_frames(trailer, "pyav", times, None, Bars(top=0.3)))
    expected = whole(np.stack(frames).reshape(3, 2, *frames[0].shape))
    np.testing.assert_allclose(arrays[2], expected, rtol=1e-3, atol=1e-5)
