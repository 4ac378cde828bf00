"""The state of a run, and restoring build/ from it."""

import base64
import errno
import gzip
import os
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest

from trailers12k.common import product_records
from trailers12k.common.errors import UserError
from trailers12k.common.files import sha256_of, write_csv, write_json
from trailers12k.common.movie import shard_of
from trailers12k.downloads import retries
from trailers12k.features import store as zarr_store
from trailers12k.features import store_index
from trailers12k.jobs import ledger
from trailers12k.versions import intermediates, run_state, state_archive
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


def test_records_of_products_travel_with_the_state(project):
    def recorded():
        return {str(path): product_records.contents_of(path) for path in product_records.recorded()}

    ledger = Path(f"build/ledger/{STORE}/000.csv")
    products = [ledger, Path("build/packed/a.csv"), Path("results/predictions/a.json")]
    for text in ("earlier", "latest"):
        for path in products[1:]:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        for path in products:
            product_records.record(path)
    of_state = {str(ledger): product_records.contents_of(ledger)}
    run_state.write()
    first, saved = sha256_of(STATE), ledger.read_bytes()
    with tarfile.open(STATE) as tar:
        names = [name for name in tar.getnames() if name.startswith("build/records")]
    assert names == [f"build/records/{ledger}.json"]
    ledger.write_text("mid\n")
    product_records.record(ledger)
    assert not run_state.is_saved()
    restore_intermediates(force=True)
    assert recorded() == of_state
    assert ledger.read_bytes() == saved and not product_records.fault_of(ledger)
    run_state.write()
    assert sha256_of(STATE) == first
    # A state of before has no record of this product, which Snakemake remembers.
    Path("data/mtgc.csv").write_text("mid\n")
    restore_intermediates()
    assert recorded().keys() == {"data/mtgc.csv", *of_state}


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


def claiming(name, size, kind=tarfile.REGTYPE):
    """A header that claims a size, and nothing behind it."""
    member = tarfile.TarInfo(name)
    member.size, member.type = size, kind
    return member


def sparse(name, size):
    """A member in the format of sparse files, with a hole of this size."""
    member = tarfile.TarInfo(name)
    member.pax_headers = {"GNU.sparse.map": "0,1", "GNU.sparse.size": str(size)}
    return member


def packed(members):
    """An archive of these headers."""
    headers = (
        member.tobuf(tarfile.PAX_FORMAT if member.pax_headers else tarfile.GNU_FORMAT)
        for member in members
    )
    return gzip.compress(b"".join(headers) + b"\0" * 1024)


TABLE = "build/clips/000/tt0000001.csv"
FOREIGN = {
    "a size of 20 GB": [claiming(TABLE, 20 << 30)],
    "a size of 2^80": [claiming(TABLE, 1 << 80)],
    "a negative size": [claiming(TABLE, -(1 << 20))],
    "an old sparse member": [claiming(TABLE, 0, tarfile.GNUTYPE_SPARSE)],
    "a sparse member": [sparse(TABLE, 1 << 40)],
    "an extension of 1 GB": [claiming("x", 1 << 30, tarfile.XHDTYPE)],
    "a long name of 1 GB": [claiming("x", 1 << 30, tarfile.GNUTYPE_LONGNAME)],
    "a link": [claiming(TABLE, 0, tarfile.SYMTYPE)],
    "a file twice": [claiming(TABLE, 0), claiming("build/clips/b.csv", 0), claiming(TABLE, 0)],
    "a file and a folder": [claiming(f"{TABLE}/b.csv", 0), claiming(TABLE, 0)],
    **{
        name: [claiming(name, 0)]
        for name in (
            *("build/state.tar.gz", "build/stopped.json", "build/top.csv"),
            *("build/cache/files/a.csv", "build/trailers/tt0000001.mp4", "build/weights/a.json"),
            *("build/records/config.txt", "build/ledger/trailers/000.csv"),
            *("build/features/a/000.zarr/tt0000001/.zattrs", ".snakemake/metadata/a.b"),
        )
    },
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_what_no_state_can_hold_is_refused_and_build_stays(project, kind):
    before = files_of(project)
    members = [claiming("build/clips/000/tt0000000.csv", 0), *FOREIGN[kind]]
    STATE.write_bytes(packed(members))
    with pytest.raises(UserError) as raised:
        restore_intermediates(force=True)
    message = str(raised.value)
    assert "\n" not in message and str(STATE) in message
    assert files_of(project) == before


@pytest.mark.parametrize(("bound", "most"), [("MOST_BYTES", 4000), ("MOST_FILES", 3)])
def test_a_state_beyond_its_bounds_is_refused(project, monkeypatch, bound, most):
    STATE.write_bytes(packed([claiming(f"build/clips/{n}/a.csv", 0) for n in range(9)]))
    run_state.check_state()
    monkeypatch.setattr(state_archive, bound, most)
    with pytest.raises(UserError, match="^build/state.tar.gz (has|unpacks to) more than "):
        run_state.check_state()


def test_what_is_in_the_place_of_a_file_or_folder_of_the_state_is_named(project):
    run_state.write()
    place = project / f"build/ledger/{STORE}/000.csv"
    place.unlink()
    place.mkdir()
    with pytest.raises(UserError, match=f"^build/ledger/{STORE}/000.csv is a folder in the place"):
        restore_intermediates(force=True)
    shutil.rmtree(place.parent)
    place.parent.write_text("mine")
    before = files_of(project)
    with pytest.raises(UserError, match=f"^build/ledger/{STORE} is in the place of a folder of"):
        restore_intermediates(force=True)
    assert files_of(project) == before


def test_a_disk_that_is_full_while_a_state_is_unpacked_leaves_build_as_it_was(project, monkeypatch):
    run_state.write()
    before, unpack = files_of(project), run_state._unpack

    def fill(name, *arguments):
        if name.endswith("001.csv"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return unpack(name, *arguments)

    monkeypatch.setattr(run_state, "_unpack", fill)
    with pytest.raises(OSError, match="No space"):
        restore_intermediates()
    assert files_of(project) == before and not list(project.rglob("*.partial"))


def test_a_state_holds_only_what_it_may_hold(project):
    write_collection("own")
    product_records.record(f"data/{STORE}.csv")
    write_json("build/weights/random.json", {})
    files = [*run_state.state_files()]
    assert len(files) > 9 and all(map(run_state._may_hold, files))


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


def test_shards_of_another_number_do_not_hide_the_store(project):
    """The seven shards before, whose arrays have other values, stay in build/."""
    mids = [f"tt{number:07}" for number in range(1, 4)]
    assert [shard_of(mid, 7) for mid in mids] != ["000"] * 3
    shutil.rmtree("build/features")
    shutil.rmtree("build/ledger")
    for count, values in ((7, 1), (1, 2)):
        parts = []
        for mid in mids[: count + 1]:
            shard = shard_of(mid, count)
            group = Path(f"build/features/{STORE}/{shard}.zarr")
            zarr_store.create(group, {"num_features": 3})
            array = np.full((2, 3), values, np.float32)
            zarr_store.write(group, mid, array, {"fingerprint": f"f{values}"})
            parts.append((group, mid, f"f{values}"))
        for group in {group for group, _, _ in parts}:
            rows = [
                {"mid": mid, "status": "ok", "clips": 2, "fingerprint": mark}
                for place, mid, mark in parts
                if place == group
            ]
            path = f"build/ledger/{STORE}/{group.stem}.csv"
            ledger.write_shard(path, rows, ("clips", "fingerprint"))
        rows = zarr_store.merge(parts, Path(f"data/{STORE}.zarr"), {"num_features": 3})
        write_csv(f"data/{STORE}.csv", ["mid", "clips", "fingerprint"], rows)
    run_state.write()
    shutil.rmtree(f"build/features/{STORE}")
    restore_intermediates(force=True, count=1)
    assert zarr_store.movies(f"build/features/{STORE}/000.zarr") == mids[:2]
    assert run_state.is_saved()
    assert store_index.read_index(store_index.index_of(STORE)).keys() == {*mids[:2]}
