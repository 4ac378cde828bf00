"""`trailers12k stores`."""

import numpy as np
import pytest

from trailers12k.common.files import write_csv
from trailers12k.features import store as store_

MIDS = ("tt0000001", "tt0000002")
NAME = "posters_i_swin"


@pytest.fixture
def store(collection):
    """A store of posters as a run leaves it: in data/, its shard in build/features/."""
    path = collection / "data" / f"{NAME}.zarr"
    shard = collection / "build" / "features" / NAME / "000.zarr"
    for group in (path, shard):
        store_.create(group, {"num_features": 3, "input": "posters", "backbone": "a model"})
        for mid in MIDS:
            store_.write(group, mid, np.ones((1, 3), np.float32), {"fingerprint": mid})
    rows = [{"mid": mid, "clips": 1, "fingerprint": mid} for mid in MIDS]
    write_csv(path.with_suffix(".csv"), ["mid", "clips", "fingerprint"], rows)
    return path


def damage(store, mid: str) -> None:
    chunk = store / mid / "0.0"
    chunk.write_bytes(chunk.read_bytes()[:-1])


def test_a_store_is_described(store, call):
    code, out, err = call("stores", "describe", store)
    assert (code, err) == (0, "")
    assert out.startswith(f"{store}: 2 movies, 2 rows, ") and "backbone: a model" in out


def test_the_decoder_of_the_arrays_is_distinct_from_that_of_the_store(store, call):
    (store / ".zattrs").write_text('{"input": "posters", "decoder": "Pillow 12"}')
    attributes = {"fingerprint": "f", "decoder": "pyav"}
    for mid in MIDS:
        store_.write(store, mid, np.ones((1, 3), np.float32), attributes)
    lines = call("stores", "describe", store)[1].splitlines()
    assert "decoder of arrays: pyav 2" in lines and "decoder: Pillow 12" in lines


def test_an_intact_store_has_no_faults(store, call):
    code, out, _ = call("stores", "verify", store)
    manifest = store.with_suffix(".csv")
    assert (code, out) == (0, f"{store}: 2 movies, no faults (compared with {manifest})\n")


def test_faults_are_printed_with_exit_code_1_and_nothing_is_changed(store, call, snapshot_of):
    damage(store, MIDS[1])
    before = snapshot_of(store)
    code, out, _ = call("stores", "verify", store)
    assert code == 1
    assert out.splitlines()[0].startswith(f"{MIDS[1]}: cannot be read")
    assert "2 movies, 1 fault (" in out.splitlines()[-1]
    assert snapshot_of(store) == before


def test_repair_removes_the_damaged_array_alone(store, call):
    damage(store, MIDS[1])
    code, out, _ = call("stores", "verify", store, "--repair")
    assert code == 0 and f"removed {MIDS[1]}" in out.splitlines()
    assert [(store / mid).exists() for mid in MIDS] == [True, False]


def test_repair_keeps_files_that_are_not_an_array(store, call):
    (store / "tt0000009").mkdir()
    (store / "tt0000009" / "note").write_text("mine")
    code, out, _ = call("stores", "verify", store, "--repair")
    assert code == 1 and "removed" not in out.replace("removed arrays", "")
    assert (store / "tt0000009" / "note").read_text() == "mine"


def test_a_store_that_no_run_can_repair_is_refused(store, call, tmp_path):
    copy = store.rename(tmp_path / store.name)
    damage(copy, MIDS[0])
    code, _, err = call("stores", "verify", copy, "--repair")
    assert code == 2 and err.splitlines()[-1].startswith(f"error: {copy} was not computed in this")
    assert (copy / MIDS[0]).exists()


@pytest.mark.parametrize("action", ["describe", "verify"])
def test_a_folder_that_is_no_store_is_refused_in_one_line(collection, call, action):
    code, out, err = call("stores", action, collection)
    assert (code, out) == (2, "")
    assert err == f"error: {collection} is not a store: it has no .zgroup\n"


@pytest.mark.parametrize("action", ["describe", "verify"])
def test_a_store_that_does_not_exist_is_reported(collection, call, action):
    assert call("stores", action, "data/nope.zarr") == (
        2,
        "",
        "error: data/nope.zarr does not exist\n",
    )
