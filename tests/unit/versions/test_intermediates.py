"""The state of a run, and restoring build/ from it."""

import base64
import os
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest

from trailers12k.common.errors import UserError
from trailers12k.common.files import sha256_of, write_csv, write_json
from trailers12k.downloads import retries
from trailers12k.features import store as zarr_store
from trailers12k.jobs import ledger
from trailers12k.versions import intermediates, run_state
from trailers12k.versions.intermediates import restore_intermediates
from trailers12k.workflow.folder import COLLECTION, STATE, collection, is_current, write_collection

STORE = "trailers_i_toy_fpc24"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with one store of two shards, merged, and what Snakemake remembers of it."""
    monkeypatch.chdir(tmp_path)
    parts = []
    for shard, mids in {"000": ["tt0000001", "tt0000002"], "001": ["tt0000003"]}.items():
        group = tmp_path / "build" / "features" / STORE / f"{shard}.zarr"
        zarr_store.create(group, {"num_features": 3})
        rows = []
        for mid in mids:
            values = np.full((2, 3), int(mid[2:]), np.float32)
            zarr_store.write(group, mid, values, {"fingerprint": mid})
            rows.append({"mid": mid, "status": "ok", "clips": 2, "fingerprint": mid})
            parts.append((group, mid, mid))
        ledger.write_shard(f"build/ledger/{STORE}/{shard}.csv", rows, ("clips", "fingerprint"))
    rows = zarr_store.merge(parts, tmp_path / "data" / f"{STORE}.zarr", {"num_features": 3})
    write_csv(f"data/{STORE}.csv", ["mid", "clips", "fingerprint"], rows)
    for name in (
        "trailers/tt0000001.mp4",
        "posters/tt0000001.jpg",
        "weights/x.json",
        "stopped.json",
    ):
        path = tmp_path / "build" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    run_state.MEMORY.mkdir(parents=True)
    (run_state.MEMORY / "ZGF0YS9tdGdjLmNzdg==").write_text("{}")
    return tmp_path


def files_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for top in ("build", ".snakemake/metadata")
        for path in (folder / top).rglob("*")
        if path.is_file() and "state" not in path.name and "stores" not in path.parts
    }


def test_equal_states_are_equal_bytes_and_hold_no_arrays(project):
    run_state.write()
    first = sha256_of(STATE)
    assert is_current()
    for path in project.rglob("*.csv"):
        os.utime(path, (1, 1))
    run_state.write()
    assert sha256_of(STATE) == first
    with tarfile.open(STATE) as tar:
        names = set(tar.getnames())
    features = {f"build/features/{STORE}/{s}.zarr/{f}" for s in ("000", "001") for f in FILES}
    ledgers = {f"build/ledger/{STORE}/{shard}.csv" for shard in ("000", "001")}
    assert names == features | ledgers | {".snakemake/metadata/ZGF0YS9tdGdjLmNzdg=="}


FILES = (".zgroup", ".zattrs")


def test_build_is_restored_as_it_was_when_something_else_was_made_since(project):
    run_state.write()
    before = files_of(project)
    group = project / "build" / "features" / STORE / "000.zarr"
    zarr_store.write(group, "tt0000001", np.zeros((5, 3), np.float32), {"fingerprint": "other"})
    zarr_store.write(group, "tt0000009", np.zeros((5, 3), np.float32), {"fingerprint": "other"})
    (project / "build" / "ledger" / STORE / "000" / "tt0000009.json").parent.mkdir()
    (project / "build" / "ledger" / STORE / "000" / "tt0000009.json").write_text("{}")
    assert is_current() and not run_state.is_saved()
    with pytest.raises(UserError, match="build/ holds work that is in no version"):
        restore_intermediates()
    restore_intermediates(force=True)
    assert is_current() and run_state.is_saved()
    assert files_of(project) == before


def make(store, values, shards=("000", "001")):
    """Compute and merge a store of one movie for each shard, with these values."""
    parts = []
    for number, shard in enumerate(shards, start=1):
        mid, group = f"tt{number:07}", Path(f"build/features/{store}/{shard}.zarr")
        zarr_store.create(group, {"num_features": 3})
        zarr_store.write(
            group, mid, np.full((2, 3), values, np.float32), {"fingerprint": f"f{values}"}
        )
        row = {"mid": mid, "status": "ok", "clips": 2, "fingerprint": f"f{values}"}
        ledger.write_shard(f"build/ledger/{store}/{shard}.csv", [row], ("clips", "fingerprint"))
        write_json(f"build/ledger/{store}/{shard}/{mid}.json", {"row": row})
        parts.append((group, mid, f"f{values}"))
    rows = zarr_store.merge(parts, Path(f"data/{store}.zarr"), {"num_features": 3})
    write_csv(f"data/{store}.csv", ["mid", "clips", "fingerprint"], rows)


VERSIONS = {
    "first": {"a": {"values": 1}},
    "a backbone more": {"a": {"values": 1}, "b": {"values": 2}},
    "a backbone less": {"b": {"values": 2}},
    "another backbone of that name": {"a": {"values": 3}},
    "fewer shards": {"a": {"values": 1, "shards": ["000"]}},
    "none": {},
}


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """What DVC has of each version, data/ and the state; and the files that build/ had with it."""
    versions = {}
    for number, (version, several) in enumerate(VERSIONS.items()):
        folder = tmp_path / str(number)
        (folder / "build").mkdir(parents=True)
        monkeypatch.chdir(folder)
        run_state.MEMORY.mkdir(parents=True)
        (folder / "data").mkdir()
        for store, about in several.items():
            make(store, **about)
        run_state.write()
        versions[version] = folder, files_of(folder)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return versions


@pytest.mark.parametrize("later", VERSIONS)
@pytest.mark.parametrize("earlier", VERSIONS)
def test_going_back_and_forth_restores_what_the_version_holds(kept, tmp_path, earlier, later):
    work = tmp_path / "work"
    shutil.copytree(kept[later][0], work, dirs_exist_ok=True)
    for version in (earlier, later, earlier):
        # As DVC does it: what the version does not name stays.
        for path in (kept[version][0] / "data").glob("*.zarr"):
            shutil.rmtree(work / "data" / path.name, ignore_errors=True)
        shutil.copytree(kept[version][0] / "data", work / "data", dirs_exist_ok=True)
        shutil.copy(kept[version][0] / STATE, STATE)
        restore_intermediates()
        assert is_current() and run_state.is_saved()
        assert files_of(work) == kept[version][1]


def test_a_packed_store_that_was_overwritten_is_packed_again(project):
    run_state.write()
    index = Path(f"build/packed/{STORE}.csv")
    array = index.with_suffix(".npy")
    memory = base64.b64encode(bytes(index)).decode()
    (run_state.MEMORY / memory).write_text("{}")
    run_state.write()
    restore_intermediates()
    packed, inode = array.read_bytes(), array.stat().st_ino
    restore_intermediates()
    assert array.stat().st_ino == inode
    np.save(array, np.zeros((6, 3), np.float32))
    restore_intermediates()
    assert array.read_bytes() == packed and np.load(array).all()


def test_foreign_folders_in_build_stay(project):
    run_state.write()
    notes = [project / "build/features" / name for name in ("mine/note", f"{STORE}/note")]
    for note in notes:
        note.parent.mkdir(exist_ok=True)
        note.write_text("mine")
    restore_intermediates(force=True)
    assert [note.read_text() for note in notes] == ["mine", "mine"]


def test_a_restore_that_was_interrupted_is_repeated(project, monkeypatch):
    run_state.write()
    before = files_of(project)
    monkeypatch.setattr(intermediates, "_pack_stores", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        restore_intermediates()
    monkeypatch.undo()
    monkeypatch.chdir(project)
    assert not is_current() and run_state.is_saved()
    restore_intermediates()
    assert is_current() and files_of(project) == before


def test_build_may_be_a_link_to_another_disk(project, tmp_path_factory):
    run_state.write()
    disk = tmp_path_factory.mktemp("disk") / "build"
    shutil.move(project / "build", disk)
    (project / "build").symlink_to(disk)
    before = files_of(project)
    restore_intermediates()
    assert files_of(project) == before


def test_no_retry_is_due_in_a_shard_whose_trailers_are_not_here(project):
    folder = project / "build" / "trailers"
    row = {"mid": "tt0000001", "status": "ok", "file": "build/trailers/tt0000001.mp4"}
    failed = {"mid": "tt0000002", "status": "failed", "reason": "network", "attempts": 1}
    ledger.write_shard("build/ledger/trailers/000.csv", [row, failed], ("file",))
    write_json(folder / "tt0000002.json", {"time": 1.0, "row": failed, "fingerprint": ""})
    retries.write_open(folder, "000", 3, [row, failed])
    run_state.write()
    restore_intermediates()
    assert retries.next_retry_round(folder, "000", 3600, "") == 4
    assert retries.next_retry_round(folder, "000", 3600, "none") == 3
    (folder / "tt0000001.mp4").unlink()
    restore_intermediates()
    assert retries.next_retry_round(folder, "000", 3600, "") == 3
    assert retries.next_retry_round(folder, "000", 3600, "all") == 4
    retries.write_open(folder, "000", 4, [row, failed])
    assert retries.next_retry_round(folder, "000", 3600, "") == 5


def test_a_store_of_another_version_is_left_out_with_a_warning(project, caplog):
    run_state.write()
    write_csv(f"data/{STORE}.csv", ["mid", "clips", "fingerprint"], [])
    restore_intermediates()
    assert run_state.is_saved()
    assert f"dvc pull data/{STORE}.zarr data/{STORE}.csv" in caplog.text
    assert not (project / "build" / "features" / STORE).exists()
    assert not (project / "build" / "ledger" / STORE).exists()


def test_a_damaged_or_foreign_state_is_refused_and_build_stays(project):
    run_state.write()
    before, whole = files_of(project), STATE.read_bytes()
    STATE.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="put it back: dvc checkout --force build/state.tar.gz"):
        restore_intermediates()
    for name in ("Snakefile", "build/../config.yaml", "/etc/passwd"):
        with tarfile.open(STATE, "w:gz") as tar:
            tar.addfile(tarfile.TarInfo(name))
        with pytest.raises(UserError, match="belongs to no state"):
            restore_intermediates()
    assert files_of(project) == before


def test_the_kind_of_collection_belongs_to_the_state(project):
    write_collection("own")
    run_state.write()
    write_collection("sample")
    assert not run_state.is_saved()
    restore_intermediates("sample", force=True)
    assert collection() == "own" and run_state.is_saved()


def test_a_state_of_before_takes_the_kind_of_collection_from_the_configuration(project):
    run_state.write()
    restore_intermediates("published")
    assert collection() == "published" and run_state.is_saved()
    COLLECTION.unlink()
    restore_intermediates(force=True)
    assert collection() is None
