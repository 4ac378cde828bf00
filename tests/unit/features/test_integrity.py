"""What of a store is trusted unread, what is read, and what is taken away to be made again."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from trailers12k.common.errors import UserError
from trailers12k.common.files import read_csv, write_csv, write_json
from trailers12k.common.movie import shard_of
from trailers12k.features import integrity as trust
from trailers12k.features import store as stores

MIDS = ["tt0000001", "tt0000002", "tt0000003"]
MID = MIDS[1]
SHARDS = 2
STORE, MANIFEST, INDEX = Path("data/s.zarr"), Path("data/s.csv"), Path("build/stores/s.csv")
SHARD = shard_of(MID, SHARDS)
LEDGER = Path(f"build/ledger/s/{SHARD}.csv")
COPY = Path(f"build/features/s/{SHARD}.zarr/{MID}")


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    """A merged store of three movies, its shards, and their ledgers and records."""
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    for number, mid in enumerate(MIDS, start=1):
        shard = shard_of(mid, SHARDS)
        part = Path(f"build/features/s/{shard}.zarr")
        stores.create(part, {"num_features": 4})
        values = np.random.default_rng(number).random((number, 4), np.float32)
        stores.write(part, mid, values, {"fingerprint": f"f{number}"})
        row = {"mid": mid, "clips": number, "fingerprint": f"f{number}"}
        write_json(f"build/ledger/s/{shard}/{mid}.json", {"row": row})
        Path(f"build/ledger/s/{shard}.csv").touch()
    merge()


def merge():
    parts = [
        (Path(f"build/features/s/{shard_of(mid, SHARDS)}.zarr"), mid, f"f{number}")
        for number, mid in enumerate(MIDS, start=1)
    ]
    rows = stores.merge(parts, STORE, {"num_features": 4}, INDEX)
    write_csv(MANIFEST, ["mid", "clips", "fingerprint"], rows)


def damaged():
    return trust.damaged(STORE, MANIFEST, INDEX)


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


def flipped(path):
    """As many other bytes, the last ones."""
    data = path.read_bytes()
    return data[:-4] + bytes(255 - byte for byte in data[-4:])


def test_what_was_merged_is_trusted_unread(read):
    assert damaged() == {} and read == []


DAMAGE = {
    "its folder is missing": lambda folder: shutil.rmtree(folder),
    "its chunk is missing": lambda folder: (folder / "0.0").unlink(),
    "no .zarray": lambda folder: (folder / ".zarray").unlink(),
    "no .zattrs": lambda folder: (folder / ".zattrs").unlink(),
    "cannot be read": lambda folder: overwrite(folder / "0.0", b"damaged"),
    "its values are not those": lambda folder: overwrite(
        folder / "0.0", (STORE / MIDS[0] / "0.0").read_bytes()
    ),
    ".zarray cannot be read": lambda folder: overwrite(folder / ".zarray", b'{"shape": [2'),
    "more than one chunk": lambda folder: overwrite(
        folder / ".zarray", (folder / ".zarray").read_bytes().replace(b"2", b"3", 1)
    ),
    "its fingerprint is None": lambda folder: overwrite(folder / ".zattrs", b"{}"),
    "cannot be read: Expecting": lambda folder: overwrite(folder / ".zattrs", b"{"),
}


@pytest.mark.parametrize("fault", DAMAGE)
def test_damage_is_told_and_made_good(fault, caplog):
    if fault == "its values are not those":
        more = np.ones((2, 4), np.float32)
        stores.write(STORE, MIDS[0], more, {"fingerprint": "f1"})
    before = {path.name: path.read_bytes() for path in COPY.iterdir()}
    DAMAGE[fault](STORE / MID)
    assert fault in damaged()[MID]
    trust.check(["s"], SHARDS)
    assert f"data/s.zarr: {MID}: {fault}" in caplog.text and "; made again" in caplog.text
    assert not MANIFEST.exists() and not (STORE / MID).exists()
    if COPY.exists():  # what was deleted was one of two links, what was overwritten was both
        assert LEDGER.exists()
        merge()
        assert {path.name: path.read_bytes() for path in (STORE / MID).iterdir()} == before
        assert damaged() == {}
    else:
        assert not LEDGER.exists() and not LEDGER.with_suffix("").joinpath(f"{MID}.json").exists()
    assert (fault in ("its folder is missing", "its chunk is missing")) <= COPY.exists()


def test_other_bytes_of_the_same_size_are_seen_by_their_time_and_in_the_shard_too():
    chunk = STORE / MID / "0.0"
    size = chunk.stat().st_size
    overwrite(chunk, flipped(chunk))
    assert chunk.stat().st_size == size and list(damaged()) == [MID]
    trust.check(["s"], SHARDS)
    assert not COPY.exists() and not LEDGER.exists()


def test_other_bytes_of_the_same_size_and_time_are_left_to_verify(read):
    chunk = STORE / MID / "0.0"
    state = chunk.stat()
    overwrite(chunk, flipped(chunk))
    os.utime(chunk, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert damaged() == {} and read == []
    assert stores.verify(STORE, MANIFEST)[0].startswith(f"{MID}: ")


def test_a_copy_in_the_shard_that_is_no_link_is_read_and_stays(read):
    twin = COPY.with_name("twin")
    shutil.copytree(COPY, twin)
    shutil.rmtree(COPY)
    twin.rename(COPY)
    os.utime(COPY / "0.0", (1, 1))
    overwrite(STORE / MID / "0.0", b"damaged")
    trust.check(["s"], SHARDS)
    assert COPY.exists() and LEDGER.exists() and read == [MID, MID]


def test_touched_files_are_read_once_and_then_trusted(read, caplog, monkeypatch):
    monkeypatch.setattr(trust, "MANY", 1)
    for mid in MIDS[:2]:
        for path in (STORE / mid).iterdir():
            os.utime(path, (1, 1))
    trust.check(["s"], SHARDS)
    assert read == MIDS[:2] and MANIFEST.exists()
    assert "data/s.zarr: 2 arrays are new here" in caplog.text and "reading them" in caplog.text
    trust.check(["s"], SHARDS)
    assert read == MIDS[:2]


@pytest.mark.parametrize("index", [None, b"mid,fing", b"\xff\x00", b"mid,fingerprint\ntt0000001\n"])
def test_without_an_index_all_is_read_once(read, index):
    INDEX.unlink()
    if index is not None:
        INDEX.write_bytes(index)
    assert damaged() == {} and read == MIDS
    assert damaged() == {} and read == MIDS


def test_an_interrupted_reading_goes_on(read, monkeypatch):
    INDEX.unlink()
    whole = trust.fault_of_values

    def interrupted(store, mid, listed):
        if mid == MIDS[2]:
            raise KeyboardInterrupt
        return whole(store, mid, listed)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(trust, "fault_of_values", interrupted)
        damaged()
    assert read == MIDS[:2]
    assert damaged() == {} and read == MIDS


def test_a_movie_that_the_manifest_has_not_is_told_and_taken_away():
    shutil.copytree(STORE / MID, STORE / "tt0000009")
    assert damaged() == {"tt0000009": "in the store, but not in the manifest"}
    trust.check(["s"], SHARDS)
    assert stores.movies(STORE) == MIDS and not MANIFEST.exists()
    assert COPY.exists() and LEDGER.exists()


def test_another_manifest_is_not_trusted_for_the_files_being_the_same(read):
    MANIFEST.write_text(MANIFEST.read_text().replace("f2", "f9"))
    assert damaged() == {MID: "its fingerprint is f2, the manifest's f9"}


@pytest.mark.parametrize(
    ("file", "data"),
    [
        (STORE / ".zgroup", b""),
        (STORE / ".zattrs", b"{}"),
        (STORE / ".zattrs", b'{"num_features": "4"}'),
        (MANIFEST, b"mid,clips\ntt0000001,1\n"),
        (MANIFEST, b"mid,clips,fingerprint\ntt0000001,one,f1\n"),
        (MANIFEST, b"\xff\xfe"),
    ],
)
def test_a_damaged_group_or_manifest_is_made_again_and_the_arrays_stay(file, data):
    inodes = {mid: (STORE / mid).stat().st_ino for mid in MIDS}
    overwrite(file, data)
    trust.check(["s"], SHARDS)
    assert not MANIFEST.exists()
    merge()
    assert damaged() == {} and inodes == {mid: (STORE / mid).stat().st_ino for mid in MIDS}


def test_a_merge_does_not_take_for_good_what_it_only_found(read):
    """Of a store whose manifest was deleted, arrays of the right fingerprint stay in a merge."""
    MANIFEST.unlink()
    overwrite(STORE / MID / "0.0", b"damaged")
    merge()
    assert list(damaged()) == [MID]


def test_ten_are_told_and_the_others_counted(caplog, monkeypatch):
    monkeypatch.setattr(trust, "TOLD", 2)
    for mid in MIDS:
        shutil.rmtree(STORE / mid)
    trust.check(["s"], SHARDS)
    assert len(caplog.messages) == 3 and caplog.messages[-1] == "data/s.zarr: and 1 more"


def test_nothing_is_checked_beside_another_run_or_where_nothing_may_be_mended(monkeypatch):
    shutil.rmtree(STORE / MID)
    lock = Path(".snakemake/locks/0.output.lock")
    lock.parent.mkdir(parents=True)
    lock.touch()
    trust.check(["s"], SHARDS)
    lock.unlink()
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda path, mode: path != trust.DATA)
        trust.check(["s"], SHARDS)
    assert MANIFEST.exists()
    trust.check(["s", "not merged yet"], SHARDS)
    assert not MANIFEST.exists()


def test_without_zarr_what_is_missing_is_told_and_what_has_changed_is_said(caplog, monkeypatch):
    monkeypatch.setattr(trust, "_can_read", lambda: False)
    shutil.rmtree(STORE / MIDS[0])
    os.utime(STORE / MID / "0.0", (1, 1))
    before = INDEX.read_text()
    assert list(damaged()) == [MIDS[0]]
    assert "not read, since zarr is not installed" in caplog.text
    assert INDEX.read_text() == before


def test_a_record_that_is_gone_or_tells_of_other_features_makes_the_shard_run():
    record = LEDGER.with_suffix("") / f"{MID}.json"
    told = json.loads(record.read_text())
    told["row"]["fingerprint"] = "f9"
    record.write_text(json.dumps(told))
    overwrite(STORE / MID / "0.0", b"damaged")
    trust.check(["s"], SHARDS)
    assert not COPY.exists() and not LEDGER.exists()


@pytest.mark.parametrize("hostile", ["VICTIM", "../../../../../../../../../..VICTIM", "..", ""])
def test_a_manifest_with_a_hostile_mid_is_distrusted_and_removes_nothing_else(
    hostile, caplog, tmp_path_factory
):
    victim = tmp_path_factory.mktemp("outside") / "victim"
    victim.mkdir()
    (victim / "note").touch()
    hostile = hostile.replace("VICTIM", str(victim))
    (STORE / MID / "0.0").unlink()
    rows = read_csv(MANIFEST)
    rows[0]["mid"] = hostile
    write_csv(MANIFEST, rows[0], rows)
    before = {path.absolute() for path in Path().rglob("*")} - {MANIFEST.absolute()}
    trust.check(["s"], SHARDS)
    assert "is not a movie id" in caplog.text and not MANIFEST.exists()
    assert {path.absolute() for path in Path().rglob("*")} == before
    assert (victim / "note").exists()
    merge()
    assert damaged() == {}


@pytest.mark.parametrize("hostile", ["../../../../victim", "..", "tt1"])
def test_a_merge_refuses_a_hostile_mid_of_a_ledger_before_it_changes_anything(hostile):
    before = sorted(STORE.rglob("*"))
    with pytest.raises(UserError, match="is not a movie id"):
        stores.merge([(COPY.parent, hostile, "f1")], STORE, {"num_features": 4}, INDEX)
    assert sorted(STORE.rglob("*")) == before


def test_what_is_no_array_of_ours_is_reported_and_never_removed(caplog):
    note = STORE / "tt1234567" / "note"
    note.parent.mkdir()
    note.write_text("mine")
    trust.check(["s"], SHARDS)
    assert "data/s.zarr/tt1234567 holds files that are not an array's" in caplog.text
    assert MANIFEST.exists(), "the store itself is sound"
    merge()
    assert note.read_text() == "mine"


def test_a_note_in_a_damaged_array_stays_and_the_merge_names_it(caplog):
    note = STORE / MID / "note"
    note.write_text("mine")
    (STORE / MID / "0.0").unlink()
    trust.check(["s"], SHARDS)
    assert [path.name for path in (STORE / MID).iterdir()] == ["note"]
    with pytest.raises(UserError, match="move it out of the store"):
        merge()
    assert note.read_text() == "mine"


def test_a_link_out_of_a_store_is_never_followed():
    elsewhere = Path("elsewhere").absolute()
    elsewhere.mkdir()
    (elsewhere / ".zarray").write_text("mine")
    shutil.rmtree(STORE / MID)
    (STORE / MID).symlink_to(elsewhere)
    with pytest.raises(UserError, match="symbolic link that leaves"):
        trust.check(["s"], SHARDS)
    assert (elsewhere / ".zarray").read_text() == "mine"
