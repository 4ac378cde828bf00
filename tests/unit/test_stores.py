import numpy as np
import pytest
import zarr

from trailers12k import stores

MIDS = ["tt0000001", "tt0000002", "tt0000003"]


@pytest.fixture
def store(tmp_path):
    path = tmp_path / "part.zarr"
    stores.create(path, {"num_features": 4})
    for number, mid in enumerate(MIDS, start=1):
        values = np.full((number, 4), number, np.float32)
        stores.write(path, mid, values, {"fingerprint": f"f{number}"})
    return path


def parts(store, mids=MIDS):
    return [(store, mid, stores.attributes(store, mid)["fingerprint"]) for mid in mids]


def test_users_read_a_store_with_zarr_alone(store):
    z = zarr.open(store, mode="r")
    array = z["tt0000002"]
    assert z.metadata.zarr_format == 2 and z.attrs["num_features"] == 4
    assert (array.shape, array.chunks, array.dtype) == ((2, 4), (2, 4), np.float32)
    assert (array[:] == 2).all()
    assert array.attrs["fingerprint"] == "f2"


def test_a_movie_of_zeros_has_a_chunk_like_any_other(store):
    stores.write(store, "tt0000009", np.zeros((2, 4), np.float32), {})
    assert stores.fault_of(store, "tt0000009") == ""


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((2, 4)),
        np.zeros(4, np.float32),
        np.zeros((0, 4), np.float32),
        np.full((1, 4), np.nan, np.float32),
    ],
)
def test_other_values_are_refused(store, values):
    with pytest.raises(ValueError):
        stores.write(store, "tt0000009", values, {})
    assert "tt0000009" not in stores.movies(store)


def test_merging_keeps_what_is_there_replaces_what_changed_and_removes_what_left(
    store, tmp_path, caplog
):
    caplog.set_level("INFO")
    out = tmp_path / "out.zarr"
    rows = stores.merge(parts(store), out, {"num_features": 4})
    assert rows[2] == {"mid": "tt0000003", "clips": 3, "fingerprint": "f3"}
    stores.write(store, "tt0000001", np.full((5, 4), 9, np.float32), {"fingerprint": "new"})
    rows = stores.merge(parts(store, MIDS[:2]), out, {"num_features": 4})
    assert "2 movies, 1 added or replaced, 1 kept, 1 removed" in caplog.text
    assert stores.movies(out) == MIDS[:2]
    assert (stores.read(out, "tt0000001") == 9).all()


def test_a_new_version_in_the_shard_does_not_reach_into_a_merged_store(store, tmp_path):
    out = tmp_path / "out.zarr"
    stores.merge(parts(store), out, {"num_features": 4})
    stores.write(store, "tt0000001", np.full((1, 4), 9, np.float32), {"fingerprint": "new"})
    assert (stores.read(out, "tt0000001") == 1).all()


def test_merging_mends_a_movie_that_lost_its_chunk(store, tmp_path):
    out = tmp_path / "out.zarr"
    stores.merge(parts(store), out, {"num_features": 4})
    (out / "tt0000002" / "0.0").unlink()
    assert stores.verify(out) == ["tt0000002: its chunk is missing"]
    stores.merge(parts(store), out, {"num_features": 4})
    assert stores.verify(out) == []


def test_verify_names_what_is_damaged(store):
    (store / "tt0000001" / "0.0").write_bytes(b"damaged")
    assert stores.verify(store)[0].startswith("tt0000001: cannot be read")


def test_leftovers_of_a_killed_job_are_swept(store):
    (store / "tt0000004.partial").mkdir()
    stores.create(store, {"num_features": 4})
    assert stores.movies(store) == MIDS
    assert not (store / "tt0000004.partial").exists()


def test_the_command_line(store, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["stores", "verify", str(store)])
    assert stores.main() == 0
    assert "3 movies, sound" in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["stores", "describe", str(store.parent)])
    assert stores.main() == 2
