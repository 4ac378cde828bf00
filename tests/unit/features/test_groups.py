"""One job for several stores: the same bytes, each trailer once, and only what a store lacks."""

import pickle
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from trailers12k.common.errors import UserError
from trailers12k.features import shard as shards
from trailers12k.features import store as stores
from trailers12k.features.backbones.spec import BackboneSpec
from trailers12k.features.recipe import recipe_of
from trailers12k.features.shard_store import ShardMovies, StoreRequest
from trailers12k.features.store_attributes import attributes
from trailers12k.features.store_costs import StoreCost, cost_file, costs_of
from trailers12k.video import reader

from .trailers import CUT, SETTINGS, content, row_of, write_trailer

SHARED = {"weights": "random", "precision": "fp32"}
SPECS = {
    "light": {
        "model": "torchvision/shufflenet_v2_x0_5",
        "input": "frames",
        "size": 64,
        "batch": 8,
        "image_frames": 2,
    },
    "video": {"model": "shufflenet3d/1.0x", "input": "clips", "size": 56, "batch": 2},
    "swin": {
        "model": "timm/efficientnet_lite0.ra_in1k",
        "input": "frames",
        "size": 64,
        "batch": 4,
        "image_frames": 3,
    },
}
MIDS = ("tt0000001", "tt0000002")

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def trailer(tmp_path_factory) -> Path:
    return write_trailer(tmp_path_factory.mktemp("trailers") / "trailer.mp4")


def movies_of(trailer: Path, mids: Iterable[str] = MIDS) -> ShardMovies:
    return ShardMovies([row_of(mid, trailer) for mid in mids], dict.fromkeys(mids, CUT), SETTINGS)


def request_of(folder: Path, name: str, **keys) -> StoreRequest:
    recipe = recipe_of(BackboneSpec(**SHARED | SPECS[name] | keys), SETTINGS, "code", 0, None)
    own = folder / name
    return StoreRequest(name, recipe, own / "records", own / "s.zarr", own / "index.csv")


def extract(folder: Path, movies: ShardMovies, *groups: Iterable[str]) -> dict[str, list[dict]]:
    """The rows of all stores, by a job for each group."""
    rows = {}
    for group in groups:
        rows |= shards.extract_shard([request_of(folder, name) for name in group], movies)
    return rows


def computed(text: str) -> dict[str, str]:
    """Store -> how much of it a job computed and kept, by its log."""
    return dict(re.findall(r"(\w+): (\d+ computed, \d+ kept)", text))


def test_the_bytes_do_not_depend_on_the_groups(trailer, tmp_path):
    movies = movies_of(trailer)
    expected = extract(tmp_path / "all", movies, SPECS)
    assert len(content(tmp_path / "all")) == 3 * (2 + 3 * len(MIDS))
    for name, groups in (
        ("each", [[name] for name in SPECS]),
        ("lists", [["swin", "light"], ["video"]]),
    ):
        assert extract(tmp_path / name, movies, *groups) == expected
        assert content(tmp_path / name) == content(tmp_path / "all")


def test_other_groups_compute_nothing_and_need_no_torch(trailer, tmp_path, caplog):
    movies = movies_of(trailer)
    rows = extract(tmp_path, movies, SPECS)
    before = content(tmp_path)
    caplog.set_level("INFO")
    for groups in ([["light"], ["video", "swin"]], [SPECS]):
        caplog.clear()
        assert extract(tmp_path, movies, *groups) == rows
        assert "0 computed, 2 kept" in caplog.text and "vectors computed" not in caplog.text
    assert content(tmp_path) == before
    job = tmp_path / "job"
    job.write_bytes(pickle.dumps(([request_of(tmp_path, name) for name in SPECS], movies)))
    program = (
        "import pickle, sys; from trailers12k.features.shard import extract_shard; "
        "extract_shard(*pickle.load(open(sys.argv[1], 'rb'))); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program, job], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr


def test_a_job_computes_what_each_store_lacks_and_says_so(trailer, tmp_path, caplog):
    caplog.set_level("INFO")
    extract(tmp_path, movies_of(trailer, MIDS[:1]), ["light"], ["video"])
    caplog.clear()
    extract(tmp_path, movies_of(trailer), SPECS)  # a new movie and a new store
    assert computed(caplog.text) == {
        "light": "1 computed, 1 kept",
        "video": "1 computed, 1 kept",
        "swin": "2 computed, 0 kept",
    }
    assert "2 computed, 0 kept, 0 failed, 0 skipped" in caplog.text, "of movies"
    caplog.clear()
    requests = [request_of(tmp_path, name) for name in ("light", "video")]
    requests.append(request_of(tmp_path, "swin", image_frames=1))  # a changed store
    shards.extract_shard(requests, movies_of(trailer))
    assert computed(caplog.text) == {
        "light": "0 computed, 2 kept",
        "video": "0 computed, 2 kept",
        "swin": "2 computed, 0 kept",
    }


def test_pictures_that_are_too_small_for_a_network_are_refused_in_one_line(trailer, tmp_path):
    own = tmp_path / "s3d"
    spec = BackboneSpec("torchvision/s3d.KINETICS400_V1", "random", "clips", size=64)
    recipe = recipe_of(spec, SETTINGS, "code", 0, None)
    request = StoreRequest("s3d", recipe, own / "records", own / "s.zarr", own / "index.csv")
    with pytest.raises(UserError, match="s3d.*: its network does not work here: .*; choose an"):
        shards.extract_shard([request], movies_of(trailer))


def test_what_a_store_took_is_recorded_and_kept(trailer, tmp_path):
    folder = tmp_path / "costs"

    def costs(*names: str, mids: Iterable[str] = MIDS) -> dict[str, StoreCost]:
        requests = [
            replace(request_of(tmp_path / "s", name), costs=cost_file(name, "000", folder))
            for name in names
        ]
        shards.extract_shard(requests, movies_of(trailer, mids))
        return {
            each.name: cost
            for each in requests
            for cost in costs_of(each.name, attributes(each.group)["fingerprint"], folder)
        }

    first = costs("light", "video")
    for cost in first.values():
        assert (cost.movies, cost.device, cost.together) == (2, "cpu", 2) and cost.seconds > 0
    assert first["video"].seconds > first["light"].seconds, "3D convolutions of all frames"
    after = costs(*SPECS, mids=(*MIDS, "tt0000003"))
    assert {name: after[name] for name in first} == first
    assert (after["swin"].movies, after["swin"].together) == (3, 3)


def test_a_trailer_is_decoded_once_for_the_stores_that_lack_it(trailer, tmp_path, monkeypatch):
    reads, read = [], reader.read_frames
    monkeypatch.setattr(reader, "read_frames", lambda *args: reads.append(args) or read(*args))
    extract(tmp_path, movies_of(trailer, MIDS[:1]), ["light"])
    assert len(reads) == 1
    extract(tmp_path, movies_of(trailer), SPECS)
    assert len(reads) == 3, "once for a movie that one store has, once for a new one"
    extract(tmp_path, movies_of(trailer), SPECS)
    assert len(reads) == 3


def test_a_trailer_that_cannot_be_read_fails_once_in_every_store(trailer, tmp_path, caplog):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(trailer.read_bytes()[:500])
    movies = movies_of(trailer, MIDS[:1])
    sources = [*movies.sources, row_of(MIDS[1], broken)]
    movies = ShardMovies(sources, dict.fromkeys(MIDS, CUT), SETTINGS)
    rows = extract(tmp_path, movies, ["light", "video"])
    for of_store in rows.values():
        assert [row["status"] for row in of_store] == ["ok", "failed"]
        assert of_store[1]["reason"] == "decode_failed"
    assert len([each for each in caplog.records if getattr(each, "mid", "") == MIDS[1]]) == 1


def test_a_store_without_weights_fails_alone_and_is_computed_when_they_come(
    trailer, tmp_path, caplog
):
    caplog.set_level("INFO")
    movies = movies_of(trailer)
    lacking = request_of(tmp_path, "swin")
    lacking = StoreRequest(
        "swin", None, lacking.records, lacking.group, lacking.index, missing="no network"
    )
    requests = [request_of(tmp_path, "light"), lacking]
    rows = shards.extract_shard(requests, movies)
    assert {row["status"] for row in rows["light"]} == {"ok"}
    assert "swin has no weights: no network" in caplog.text
    assert rows["swin"] == [
        {"mid": mid, "status": "skipped", "reason": "no_weights", "detail": "no network"}
        for mid in MIDS
    ]
    assert [path.name for path in lacking.group.iterdir()] == [".zgroup"]
    caplog.clear()
    extract(tmp_path, movies, ["light", "swin"])
    assert computed(caplog.text) == {"light": "0 computed, 2 kept", "swin": "2 computed, 0 kept"}
    arrays = content(tmp_path)
    # Weights that are gone later remove nothing.
    shards.extract_shard(requests, movies)
    assert content(tmp_path) == arrays
    caplog.clear()
    extract(tmp_path, movies, ["light", "swin"])
    assert computed(caplog.text) == dict.fromkeys(("light", "swin"), "0 computed, 2 kept")
    assert stores.movies(lacking.group) == [*MIDS]
