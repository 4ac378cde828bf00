import shutil
import subprocess
import sys

import numpy as np
import pytest
import zarr

from trailers12k.common.files import write_csv
from trailers12k.features import integrity
from trailers12k.features import store as stores

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


def test_an_equal_array_stays_in_its_place(store):
    before = (store / "tt0000002" / "0.0").stat().st_ino
    for value in (2, 7):
        stores.write(store, "tt0000002", np.full((2, 4), value, np.float32), {"fingerprint": "f2"})
        assert ((store / "tt0000002" / "0.0").stat().st_ino == before) == (value == 2)
        assert (stores.read(store, "tt0000002") == value).all()
    assert {path.name for path in store.iterdir()} == {".zgroup", ".zattrs", *MIDS}


def test_an_array_of_zeros_has_a_chunk(store):
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


def test_a_merge_keeps_equal_arrays_replaces_changed_and_removes_others(store, tmp_path, caplog):
    caplog.set_level("INFO")
    out = tmp_path / "out.zarr"
    rows = stores.merge(parts(store), out, {"num_features": 4})
    assert rows[2] == {"mid": "tt0000003", "clips": 3, "fingerprint": "f3"}
    stores.write(store, "tt0000001", np.full((5, 4), 9, np.float32), {"fingerprint": "new"})
    before = {mid: (out / mid).stat().st_ino for mid in MIDS}
    rows = stores.merge(parts(store, MIDS[:2]), out, {"num_features": 4})
    after = {mid: (out / mid).stat().st_ino for mid in MIDS[:2]}
    assert after["tt0000001"] != before["tt0000001"] and after["tt0000002"] == before["tt0000002"]
    assert "2 movies, 1 added or replaced, 1 kept, 1 removed" in caplog.text
    assert stores.movies(out) == MIDS[:2]
    assert (stores.read(out, "tt0000001") == 9).all()


def test_a_new_version_in_the_shard_does_not_reach_into_a_merged_store(store, tmp_path):
    out = tmp_path / "out.zarr"
    stores.merge(parts(store), out, {"num_features": 4})
    stores.write(store, "tt0000001", np.full((1, 4), 9, np.float32), {"fingerprint": "new"})
    assert (stores.read(out, "tt0000001") == 1).all()


def test_a_merge_replaces_an_array_that_lost_its_chunk(store, tmp_path):
    out = tmp_path / "out.zarr"
    stores.merge(parts(store), out, {"num_features": 4})
    (out / "tt0000002" / "0.0").unlink()
    assert list(map(str, integrity.verify(out))) == ["tt0000002: its chunk is missing"]
    stores.merge(parts(store), out, {"num_features": 4})
    assert integrity.verify(out) == []


def test_verify_names_the_damaged_array(store):
    (store / "tt0000001" / "0.0").write_bytes(b"damaged")
    assert integrity.verify(store)[0].reason.startswith("cannot be read")


def test_leftovers_of_a_killed_job_are_removed(store):
    (store / "tt0000004.partial").mkdir()
    stores.create(store, {"num_features": 4})
    assert stores.movies(store) == MIDS
    assert not (store / "tt0000004.partial").exists()


def damage(store, case):
    """One thing wrong with a store, its manifest or the clips table; what verify must say."""
    chunk, attributes = store / "tt0000002" / "0.0", store / "tt0000002" / ".zattrs"
    other = stores.read(store, "tt0000002").copy()
    match case:
        case "values of another movie":
            chunk.write_bytes((store.parent / "more.zarr" / "tt0000002" / "0.0").read_bytes())
            return "its values are not those that were written"
        case "a chunk cut short":
            chunk.write_bytes(chunk.read_bytes()[:10])
            return "cannot be read"
        case "no metadata":
            (store / "tt0000002" / ".zarray").unlink()
            return "no .zarray"
        case "another fingerprint":
            attributes.write_text(attributes.read_text().replace("f2", "f9"))
            return "its fingerprint is f9, not f2"
        case "a row too many":
            stores.write(store, "tt0000002", np.concatenate([other, other]), {"fingerprint": "f2"})
            return "4 rows, but clips.csv has 2 clips"
        case "another width":
            stores.write(store, "tt0000002", other[:, :3].copy(), {"fingerprint": "f2"})
            return "not (rows, 4) float32"
        case "a movie gone":
            shutil.rmtree(store / "tt0000002")
            return "in part.csv, but not in the store"
        case "a movie that is not listed":
            manifest = store.with_suffix(".csv")
            lines = manifest.read_text().splitlines(keepends=True)
            manifest.write_text("".join(line for line in lines if "tt0000002" not in line))
            return "in the store, but not in part.csv"


@pytest.mark.parametrize(
    "case",
    [
        "values of another movie",
        "a chunk cut short",
        "no metadata",
        "another fingerprint",
        "a row too many",
        "another width",
        "a movie gone",
        "a movie that is not listed",
    ],
)
def test_verify_compares_a_store_with_its_manifest_and_the_clips(store, case):
    manifest, clips = store.with_suffix(".csv"), store.parent / "clips.csv"
    rows = [{"mid": mid, "clips": n, "fingerprint": f"f{n}"} for n, mid in enumerate(MIDS, 1)]
    write_csv(manifest, ["mid", "clips", "fingerprint"], rows)
    cut = [
        {"mid": m, "clip": c, "shot": 0, "start": c, "end": c + 1}
        for n, m in enumerate(MIDS, 1)
        for c in range(n)
    ]
    write_csv(clips, ["mid", "clip", "shot", "start", "end"], cut)
    more = store.parent / "more.zarr"
    stores.create(more, {"num_features": 4})
    stores.write(more, "tt0000002", np.full((2, 4), 7, np.float32), {})
    assert integrity.verify(store, manifest, clips) == []
    expected = damage(store, case)
    (fault,) = integrity.verify(store, manifest, clips)
    assert fault.mid == "tt0000002" and expected in fault.reason


def test_a_store_is_described_to_a_person(store):
    stores.create(
        store, {"num_features": 4, "backbone": "b", "versions": {"torch": "2"}, "determined_by": {}}
    )
    stores.write(store, "tt0000001", np.ones((1, 4), np.float32), {"precision": "bf16"})
    (store / "tt7654321").mkdir()
    (store / "tt7654321" / "note").write_text("somebody's file")
    text = stores.describe(store)
    assert "3 movies, 6 rows" in text and "precision of arrays: bf16 1" in text
    assert "backbone: b\nversions:\n  torch: '2'" in text and "determined_by" not in text


def test_a_merge_needs_no_module_that_reads_videos(store):
    """In the environment of tables there is neither torch nor PyAV."""
    code = (
        "import sys; sys.modules['av'] = sys.modules['torch'] = None;"
        "from pathlib import Path; from trailers12k.features import store as stores;"
        "stores.merge([], Path(sys.argv[1]), {'num_features': 4})"
    )
    done = subprocess.run([sys.executable, "-c", code, str(store)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


WRITE_OFTEN = """
import sys
from pathlib import Path
import numpy as np
from trailers12k.features import store as stores
for _ in range(50):
    stores.create(Path(sys.argv[1]), {"num_features": 4})
    values = np.full((2, 4), int(sys.argv[2]), np.float32)
    stores.write(Path(sys.argv[1]), "tt0000001", values, {})
"""


def test_processes_that_write_the_same_movie_at_once_leave_a_whole_array(tmp_path):
    """Four, since two meet too rarely between the steps of a replacement."""
    path = tmp_path / "part.zarr"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WRITE_OFTEN, str(path), value],
            stderr=subprocess.PIPE,
            text=True,
        )
        for value in "1234"
    ]
    messages = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, messages
    assert messages == [""] * 4
    assert stores.movies(path) == ["tt0000001"] and integrity.verify(path) == []
    assert {entry.name for entry in path.iterdir()} == {".zgroup", ".zattrs", "tt0000001"}


@pytest.mark.parametrize("content", [b"[" * 10**4, b'{"a":' * 10**4, b"\0" * 9, b"\xff", b"5"])
def test_metadata_of_any_content_is_a_fault_and_no_traceback(tmp_path, content):
    path = tmp_path / "s.zarr"
    stores.create(path, {"num_features": 3})
    stores.write(path, "tt0000001", np.ones((2, 3), np.float32), {"fingerprint": "f"})
    array = path / "tt0000001"
    (array / ".zattrs").write_bytes(content)
    assert stores._fingerprint_in(array) is None
    assert stores.fault_of_values(path, "tt0000001", {}, None).startswith(".zattrs cannot be read")
    (array / ".zarray").write_bytes(content)
    assert stores.fault_of(path, "tt0000001").startswith(".zarray cannot be read")
    with pytest.raises(ValueError, match=".zarray cannot be read"):
        stores.shape(path, "tt0000001")
