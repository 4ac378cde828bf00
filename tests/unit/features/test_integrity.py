"""Damage in stores: seen without reading arrays, repaired by jobs, counted; nothing else lost."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from trailers12k.common.errors import UserError
from trailers12k.common.files import read_csv, write_csv, write_json
from trailers12k.common.movie import shard_of
from trailers12k.features import integrity, store_index
from trailers12k.features import store as stores
from trailers12k.features.store import Part

MIDS = ["tt0000001", "tt0000002", "tt0000003"]
MID = MIDS[1]
SHARDS = 2
STORE, MANIFEST, INDEX = Path("data/s.zarr"), Path("data/s.csv"), Path("build/stores/s.csv")
SHARD = shard_of(MID, SHARDS)
COPY = Path(f"build/features/s/{SHARD}.zarr/{MID}")


def fingerprint(mid):
    return f"f{mid[-1]}"


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    """A merged store of three movies, its shards, and the records of these."""
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    for mid in MIDS:
        write_array(mid)
        row = {"mid": mid, "clips": int(mid[-1]), "fingerprint": fingerprint(mid)}
        write_json(f"build/ledger/s/{shard_of(mid, SHARDS)}/{mid}.json", {"row": row})
    index_shards()
    merge()


def write_array(mid):
    """The array of a movie in the store of its shard, as extract_features makes it."""
    part = store_index.shard_of_store("s", shard_of(mid, SHARDS))
    stores.create(part, {"num_features": 4})
    values = np.random.default_rng(int(mid[-1])).random((int(mid[-1]), 4), np.float32)
    stores.write(part, mid, values, {"fingerprint": fingerprint(mid)})


def index_shards():
    for shard in {shard_of(mid, SHARDS) for mid in MIDS}:
        part = store_index.shard_of_store("s", shard)
        index = {mid: (fingerprint(mid), store_index.signature(part / mid)) for mid in MIDS}
        own = {mid: index[mid] for mid in MIDS if shard_of(mid, SHARDS) == shard}
        store_index.write_index(store_index.index_of("s", shard), own)


def merge(planned=None):
    """The job of merge_store, planned with a param `repairs`."""
    parts = [
        Part(
            store_index.shard_of_store("s", shard_of(mid, SHARDS)),
            mid,
            fingerprint(mid),
            store_index.index_of("s", shard_of(mid, SHARDS)),
        )
        for mid in MIDS
    ]
    rows = stores.merge(parts, STORE, {"num_features": 4}, INDEX)
    write_csv(MANIFEST, ["mid", "clips", "fingerprint"], rows)
    store_index.record_repairs("s", planned)


def repairs():
    """The params of merge_store, and of extract_features of the damaged movie's shard."""
    store_index.forget_looks()
    return store_index.repairs("s"), store_index.shard_repairs("s", SHARD)


def values():
    return {mid: stores.read(STORE, mid).tobytes() for mid in MIDS}


@pytest.fixture
def read(monkeypatch):
    """The arrays that were read."""
    several = []
    whole = stores.fault_of_values

    def fault_of_values(store, mid, *others):
        several.append(mid)
        return whole(store, mid, *others)

    monkeypatch.setattr(stores, "fault_of_values", fault_of_values)
    return several


def overwrite(path, data):
    """In place, so that a hard link sees it too; later than anything before."""
    with open(path, "r+b") as file:
        file.truncate()
        file.write(data)
    os.utime(path, ns=(0, os.stat(path).st_mtime_ns + 1))


def flip(path):
    """Overwrite a file with as many bytes, the last four inverted."""
    data = path.read_bytes()
    overwrite(path, data[:-4] + bytes(255 - byte for byte in data[-4:]))


def separate_copy():
    """Replace the hard links of the shard by files of their own, of the same time."""
    other = COPY.with_name("other")
    shutil.copytree(COPY, other)  # copies times
    shutil.rmtree(COPY)
    other.rename(COPY)


def files():
    return {
        path: (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else None)
        for path in Path().rglob("*")
    }


def test_a_merged_store_is_not_read_again(read):
    assert repairs() == (0, 0)
    merge()
    assert read == []


def test_before_the_first_merge_nothing_is_damaged():
    assert store_index.repairs("other") == 0 and store_index.shard_repairs("other", "000") == 0


# name -> what it does to an array, and whether a hard link of the file sees it
DAMAGE = {
    "missing": (lambda folder: shutil.rmtree(folder), False),
    "no chunk": (lambda folder: (folder / "0.0").unlink(), False),
    "no .zarray": (lambda folder: (folder / ".zarray").unlink(), False),
    "no .zattrs": (lambda folder: (folder / ".zattrs").unlink(), False),
    "cut": (lambda folder: overwrite(folder / "0.0", (folder / "0.0").read_bytes()[:9]), True),
    "other bytes of the same size": (lambda folder: flip(folder / "0.0"), True),
    "damaged .zarray": (lambda folder: overwrite(folder / ".zarray", b'{"shape": [2'), True),
    "empty .zattrs": (lambda folder: overwrite(folder / ".zattrs", b"{}"), True),
    "damaged .zattrs": (lambda folder: overwrite(folder / ".zattrs", b"{"), True),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damage_reruns_each_job_concerned_once_and_is_repaired(case):
    before = values()
    damage, is_shared = DAMAGE[case]
    damage(STORE / MID)
    assert repairs() == (1, is_shared)
    if is_shared:
        with pytest.raises(UserError, match="run again"):
            merge(1)
        assert repairs() == (1, 1), "a failed job has repaired nothing"
        write_array(MID)
        index_shards()
        store_index.record_repairs("s", 1, SHARD)
        assert repairs() == (1, 1)
    merge(1)
    assert repairs() == (1, is_shared)
    assert values() == before and integrity.verify(STORE, MANIFEST) == []


@pytest.mark.parametrize("case", DAMAGE)
def test_damage_in_data_alone_is_repaired_from_the_shard(case):
    before = values()
    separate_copy()
    DAMAGE[case][0](STORE / MID)
    assert repairs() == (1, 0)
    merge(1)
    assert repairs() == (1, 0) and values() == before


def test_a_missing_copy_in_the_shard_alone_reruns_nothing():
    shutil.rmtree(COPY)
    assert repairs() == (0, 0)
    shutil.rmtree(STORE / MID)
    assert repairs() == (1, 1)


def test_looking_changes_no_file():
    shutil.rmtree(STORE / MIDS[0])
    overwrite(STORE / MID / "0.0", b"damaged")
    (STORE / "tt1234567").mkdir()
    (STORE / "tt1234567" / "note").write_text("mine")
    before = files()
    repairs()
    assert files() == before


def test_a_job_killed_before_the_count_is_done_again_and_settles(monkeypatch):
    shutil.rmtree(STORE / MID)
    planned, _ = repairs()

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(store_index, "record_repairs", killed)
        merge(planned)
    # Snakemake does an interrupted job again, with the count as it is now.
    again, _ = repairs()
    merge(again)
    assert repairs()[0] == again and integrity.verify(STORE, MANIFEST) == []


def test_a_killed_repair_goes_on_where_it_was(read, monkeypatch):
    INDEX.unlink()
    whole = stores.fault_of_values

    def interrupted(store, mid, *others):
        if mid == MIDS[2]:
            raise KeyboardInterrupt
        return whole(store, mid, *others)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(stores, "fault_of_values", interrupted)
        merge(1)
    assert read == MIDS[:2] and repairs()[0] == 1
    merge(1)
    assert read == MIDS


def test_a_folder_copied_without_its_times_is_read_once_and_stays(read):
    for path in [*STORE.rglob("*"), *Path("build/features").rglob("*")]:
        os.utime(path, (1, 1))
    inodes = {mid: (STORE / mid / "0.0").stat().st_ino for mid in MIDS}
    before = values()
    assert repairs() == (1, 1)
    merge(1)
    assert read == MIDS and repairs()[0] == 1
    assert values() == before
    assert {mid: (STORE / mid / "0.0").stat().st_ino for mid in MIDS} == inodes
    merge(1)
    assert read == MIDS


@pytest.mark.parametrize("index", [None, b"mid,fing", b"\xff\x00", b"mid,fingerprint\ntt0000001\n"])
def test_without_an_index_everything_is_read_once(read, index):
    INDEX.unlink()
    if index is not None:
        INDEX.write_bytes(index)
    assert repairs()[0] == 1
    merge(1)
    assert read == MIDS and repairs()[0] == 1
    merge(1)
    assert read == MIDS


def test_a_store_without_readable_attributes_is_one_fault():
    stores.merge([], STORE, {"num_features": 4}, INDEX)
    (STORE / ".zattrs").write_text("{")
    (fault,) = integrity.verify(STORE)
    assert fault.mid == "" and str(STORE) in fault.reason


def test_an_empty_store_is_sound():
    stores.merge([], STORE, {"num_features": 4}, INDEX)
    write_csv(MANIFEST, ["mid", "clips", "fingerprint"], [])
    assert repairs()[0] == 0


def test_an_array_that_the_index_does_not_list_is_removed_by_the_merge():
    shutil.copytree(STORE / MID, STORE / "tt0000009")
    assert repairs() == (1, 0)
    merge(1)
    assert stores.movies(STORE) == MIDS and repairs() == (1, 0)


@pytest.mark.parametrize(
    ("file", "data"),
    [
        (STORE / ".zgroup", b""),
        (STORE / ".zattrs", b"{}"),
        (STORE / ".zattrs", b'{"num_features": "4"}'),
        (MANIFEST, b"mid,clips\ntt0000001,1\n"),
        (MANIFEST, b"mid,clips,fingerprint\ntt0000001,one,f1\n"),
        (MANIFEST, b"mid,clips,fingerprint\ntt0000001,1,f1\n"),
        (MANIFEST, b"\xff\xfe"),
    ],
)
def test_a_damaged_group_or_manifest_is_written_again_and_the_arrays_stay(file, data, read):
    inodes = {mid: (STORE / mid).stat().st_ino for mid in MIDS}
    overwrite(file, data)
    assert repairs() == (1, 0)
    merge(1)
    assert repairs() == (1, 0) and read == []
    assert inodes == {mid: (STORE / mid).stat().st_ino for mid in MIDS}


def test_outputs_that_snakemake_removed_before_the_job_do_not_count():
    """A job on another node computes its params again, after its outputs were removed."""
    MANIFEST.unlink()
    (STORE / ".zgroup").unlink()
    (COPY.parent / ".zgroup").unlink()
    assert repairs() == (0, 0)


HOSTILE = ["VICTIM", "../../../../../../../../../..VICTIM", "..", ""]


@pytest.mark.parametrize("mid", HOSTILE)
def test_a_hostile_manifest_is_distrusted_and_nothing_else_is_removed(mid, tmp_path_factory):
    victim = tmp_path_factory.mktemp("outside") / "victim"
    victim.mkdir()
    (victim / "note").touch()
    rows = read_csv(MANIFEST)
    rows[0]["mid"] = mid.replace("VICTIM", str(victim))
    write_csv(MANIFEST, rows[0], rows)
    before = files()
    assert repairs() == (1, 0)
    faults = integrity.verify(STORE, MANIFEST)
    assert [fault.mid for fault in faults] == [""] and "is not a movie id" in faults[0].reason
    assert integrity.repair(STORE, faults) == []
    assert files() == before and (victim / "note").exists()
    merge(1)
    assert repairs() == (1, 0) and integrity.verify(STORE, MANIFEST) == []
    assert (victim / "note").exists()


@pytest.mark.parametrize("mid", HOSTILE)
def test_a_hostile_index_is_distrusted(mid, tmp_path_factory):
    victim = tmp_path_factory.mktemp("outside") / "victim"
    shutil.copytree(STORE / MID, victim)
    index = store_index.read_index(INDEX)
    index[mid.replace("VICTIM", str(victim))] = index[MID]
    store_index.write_index(INDEX, index)
    assert repairs()[0] == 1
    merge(1)
    assert sorted(store_index.read_index(INDEX)) == MIDS and repairs()[0] == 1
    assert store_index.signature(victim)


@pytest.mark.parametrize("hostile", ["../../../../victim", "..", "tt1"])
def test_a_merge_refuses_a_hostile_mid_of_a_ledger_before_it_changes_anything(hostile):
    before = files()
    with pytest.raises(UserError, match="is not a movie id"):
        stores.merge([Part(COPY.parent, hostile, "f1")], STORE, {"num_features": 4}, INDEX)
    assert files() == before


def test_a_foreign_folder_is_reported_and_never_removed(caplog):
    note = STORE / "tt1234567" / "note"
    note.parent.mkdir()
    note.write_text("mine")
    assert repairs() == (0, 0), "no job can mend it"
    merge()
    assert "data/s.zarr/tt1234567 holds files that are not an array's" in caplog.text
    faults = integrity.verify(STORE, MANIFEST)
    assert [(fault.mid, fault.is_foreign) for fault in faults] == [("tt1234567", True)]
    assert integrity.repair(STORE, faults) == []
    assert note.read_text() == "mine"


def test_a_foreign_file_in_a_damaged_array_stays_and_the_merge_names_it():
    note = STORE / MID / "note"
    note.write_text("mine")
    (STORE / MID / "0.0").unlink()
    assert repairs() == (1, 0)
    with pytest.raises(UserError, match="move it out of the store"):
        merge(1)
    integrity.repair(STORE, integrity.verify(STORE, MANIFEST))
    assert [path.name for path in (STORE / MID).iterdir()] == ["note"]
    assert note.read_text() == "mine"


def test_a_link_out_of_a_store_is_never_followed():
    elsewhere = Path("elsewhere").absolute()
    elsewhere.mkdir()
    (elsewhere / ".zarray").write_text("mine")
    shutil.rmtree(STORE / MID)
    (STORE / MID).symlink_to(elsewhere)
    assert repairs()[0] == 1
    with pytest.raises(UserError, match="symbolic link that leaves"):
        integrity.repair(STORE, integrity.verify(STORE, MANIFEST))
    with pytest.raises(UserError, match="symbolic link that leaves"):
        merge(1)
    assert (elsewhere / ".zarray").read_text() == "mine"


def hide(path):
    """Damage a file in place without a trace in its size and time."""
    state = path.stat()
    flip(path)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


@pytest.mark.parametrize("is_linked", [True, False])
def test_repair_removes_what_only_reading_finds_and_a_run_makes_it_again(is_linked):
    before = values()
    if not is_linked:
        separate_copy()
    hide(STORE / MID / "0.0")
    assert repairs() == (0, 0)
    faults = integrity.verify(STORE, MANIFEST)
    assert [str(fault) for fault in faults] == [
        f"{MID}: its values are not those that were written"
    ]
    assert integrity.repair(STORE, faults) == [MID]
    assert not (STORE / MID).exists() and COPY.exists() is not is_linked
    assert repairs() == (1, is_linked)
    if is_linked:
        write_array(MID)
        index_shards()
    merge(1)
    assert values() == before and integrity.verify(STORE, MANIFEST) == []


@pytest.mark.parametrize("damage", ["no record", "another fingerprint"])
def test_repair_keeps_a_shard_copy_only_with_its_record(damage):
    separate_copy()
    record = Path(f"build/ledger/s/{SHARD}/{MID}.json")
    content = json.loads(record.read_text())
    content["row"]["fingerprint"] = "f9"
    record.unlink() if damage == "no record" else record.write_text(json.dumps(content))
    (STORE / MID / "0.0").unlink()
    integrity.repair(STORE, integrity.verify(STORE, MANIFEST))
    assert not COPY.exists()


def test_repair_refuses_a_store_that_was_not_computed_here(tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "s.zarr"
    shutil.copytree(STORE, elsewhere)
    (elsewhere / MID / "0.0").unlink()
    with pytest.raises(UserError, match="was not computed in this folder"):
        integrity.repair(elsewhere, integrity.verify(elsewhere))
    shutil.rmtree("build/features/s")
    with pytest.raises(UserError, match="was not computed in this folder"):
        integrity.repair(STORE, [])
    assert (elsewhere / MID).exists()


def test_a_merge_logs_ten_damaged_arrays(caplog, monkeypatch):
    monkeypatch.setattr(stores, "REPORTED", 2)
    for mid in MIDS:
        (STORE / mid / "0.0").unlink()
    merge(1)
    assert caplog.text.count("copied again from its shard") == 2


def test_looking_imports_nothing_slow():
    code = (
        "import sys, trailers12k.features.store_index;"
        "sys.exit(bool({'numpy', 'zarr', 'pandas', 'torch', 'av', 'yaml'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
