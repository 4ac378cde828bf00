"""kill -9 at many moments, then the same again: the bytes of an undisturbed run, no leftovers."""

import multiprocessing
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from trailers12k.common.files import PARTIAL, sha256_of
from trailers12k.features import shard
from trailers12k.features import store as stores
from trailers12k.features.backbones.spec import BackboneSpec
from trailers12k.features.recipe import recipe_of
from trailers12k.features.shard_store import ShardMovies, StoreRequest
from trailers12k.jobs import ledger
from trailers12k.video.clips import Clip

SPEC = BackboneSpec(
    model="torchvision/shufflenet_v2_x0_5",
    weights="random",
    input="frames",
    precision="fp32",
    size=64,
    batch=8,
    image_frames=6,
)
pytestmark = pytest.mark.usefixtures("one_thread")

MIDS = [f"tt{n:07d}" for n in range(1, 11)]
CUT = [Clip(0, 0, 0.0, 1.0), Clip(1, 0, 1.0, 2.0)]
MOMENTS = 10

# The children of this server have torch loaded already: a run takes tenths of a second.
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(
    ["trailers12k.features.shard", "trailers12k.features.extraction", "timm"]
)


@pytest.fixture(scope="module")
def sources(tmp_path_factory) -> list[dict]:
    folder, random = tmp_path_factory.mktemp("trailers"), np.random.default_rng(0)
    rows = []
    for mid in MIDS:
        path = folder / f"{mid}.mp4"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=24)
            stream.width, stream.height, stream.pix_fmt = 128, 72, "yuv420p"
            for _ in range(48):
                pixels = np.kron(random.integers(0, 255, (9, 16, 3)), np.ones((8, 8, 1)))
                frame = av.VideoFrame.from_ndarray(pixels.astype(np.uint8), format="rgb24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        rows.append({"mid": mid, "status": "ok", "file": str(path), "decoder": "pyav"})
        rows[-1]["sha256"] = sha256_of(path)
    return rows


def arguments(folder: Path, sources: list[dict]) -> dict:
    settings = {"fps": 24, "fpc": 24, "detector": "adaptive"}
    request = StoreRequest(
        name="store",
        recipe=recipe_of(SPEC, settings, "code", 0, None),
        records=folder / "records",
        group=folder / "store.zarr",
        index=folder / "index.csv",
    )
    return {
        "requests": [request],
        "movies": ShardMovies(sources, {mid: CUT for mid in MIDS}, settings),
        "machine": shard.Machine("cpu"),
    }


def extract(folder: Path, sources: list[dict]) -> None:
    rows = shard.extract_shard(**arguments(folder, sources))["store"]
    ledger.write_shard(folder / "ledger.csv", rows, shard.LEDGER_COLUMNS)


def moments(states: set, enough: int) -> Iterator[float]:
    """When to kill, as a share of an undisturbed run's time: MOMENTS even ones; and then others, as
    long as the machine was so uneven that fewer than `enough` states of the work were met."""
    yield from ((number + 0.5) / MOMENTS for number in range(MOMENTS))
    for number in range(1, 60):
        if len(states) >= enough:
            return
        yield 1.5 * (number * 0.618 % 1)


def kill(target: Callable, parameters: dict, seconds: float) -> None:
    """Run it in a process, which is killed after so many seconds."""
    process = processes.Process(target=target, kwargs=parameters)
    process.start()
    process.join(seconds)
    process.kill()
    process.join()


def seconds_of(target: Callable, parameters: dict) -> float:
    process = processes.Process(target=target, kwargs=parameters)
    began = time.perf_counter()
    process.start()
    process.join()
    assert process.exitcode == 0
    return time.perf_counter() - began


def content(folder: Path, *names: str) -> dict[str, bytes]:
    paths = [path for name in names for path in [folder / name, *(folder / name).rglob("*")]]
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(paths) if p.is_file()}


@pytest.fixture(scope="module")
def undisturbed(sources, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    extract(folder, sources)
    assert len(list((folder / "store.zarr").glob("tt*"))) == len(MIDS)
    for name in ("warm-up", "again"):  # the server's first child waits for what it loads
        seconds = seconds_of(shard.extract_shard, arguments(folder / name, sources))
    return seconds, content(folder, "store.zarr", "ledger.csv")


def test_features_are_those_of_an_undisturbed_run(undisturbed, sources, tmp_path):
    seconds, expected = undisturbed
    states = set()
    for moment in moments(states, 3):
        folder = tmp_path / str(moment)
        parameters = arguments(folder, sources)
        # Most of the first fifth goes into loading.
        kill(shard.extract_shard, parameters, seconds * (0.2 + 0.8 * moment))
        states.add(len(list(folder.glob("records/*.json"))))
        extract(folder, sources)
        assert content(folder, "store.zarr", "ledger.csv") == expected
        assert not list(folder.rglob(f"*{PARTIAL}"))
    assert len(states) >= 3, f"killed after 0 to {len(MIDS)} movies: {states}"


def test_a_run_that_is_killed_repeatedly_finishes(undisturbed, sources, tmp_path):
    seconds, expected = undisturbed
    for _ in range(4):
        kill(shard.extract_shard, arguments(tmp_path, sources), seconds * 0.6)
    extract(tmp_path, sources)
    assert content(tmp_path, "store.zarr", "ledger.csv") == expected


def test_a_merge_is_that_of_an_undisturbed_run(tmp_path):
    """Of 300 movies over an older store, in which a third has changed and a third has left."""
    shard = tmp_path / "shard.zarr"
    stores.create(shard, {"num_features": 4})
    new = []
    for n in range(300):
        mid = f"tt{n:07d}"
        stores.write(shard, mid, np.full((2, 4), n, np.float32), {"fingerprint": f"f{n}"})
        if n % 3:
            new.append((shard, mid, f"f{n}"))
    before = tmp_path / "before.zarr"
    stores.create(before, {"num_features": 4})
    for n in range(300):
        mark = f"f{n}" if n % 2 else "older"
        stores.write(before, f"tt{n:07d}", np.zeros((1, 4), np.float32), {"fingerprint": mark})
        if n % 2:
            shutil.rmtree(before / f"tt{n:07d}")
            shutil.copytree(shard / f"tt{n:07d}", before / f"tt{n:07d}")
    about = {"num_features": 4}
    whole = tmp_path / "whole.zarr"
    shutil.copytree(before, whole)
    rows = stores.merge(new, whole, about)
    expected = content(whole, "")
    assert len(rows) == len(stores.movies(whole)) == 200
    timed = {"parts": new, "store": tmp_path / "timed.zarr", "group_attributes": about}
    for _ in range(2):
        shutil.rmtree(timed["store"], ignore_errors=True)
        shutil.copytree(before, timed["store"])
        seconds = seconds_of(stores.merge, timed)
    states = set()
    for moment in moments(states, 4):
        store = tmp_path / f"{moment}.zarr"
        shutil.copytree(before, store)
        parameters = {"parts": new, "store": store, "group_attributes": about}
        kill(stores.merge, parameters, seconds * moment)
        states.add(len(content(store, "").items() & expected.items()))
        assert stores.merge(new, store, about) == rows
        assert content(store, "") == expected
    assert len(states) > 3, f"killed with so many files as they should be: {states}"
