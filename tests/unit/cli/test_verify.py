"""`trailers12k verify`: what counts as a fault, and what a repair touches."""

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from trailers12k.common import product_records
from trailers12k.common.files import sha256_of, write_csv, write_text
from trailers12k.features import store as store_
from trailers12k.jobs.result_cache import FILES

LEDGER, SUMMARY = Path("data/ledger.csv"), Path("results/summary.md")
FIGURE = Path("results/figures/genres.svg")
ROWS = [{"mid": f"tt000000{n}", "status": "ok"} for n in range(1, 5)]
MIDS = ("tt0000001", "tt0000002")
REPAIR = "trailers12k verify --repair"
PERMISSIONS = "cannot be read (Permission denied); change its permissions"


@pytest.fixture
def products(collection) -> Path:
    """A folder with three products; the cache has the content of the first."""
    write_csv(LEDGER, ["mid", "status"], ROWS)
    write_text(SUMMARY, "the results\n" * 20)
    write_text(FIGURE, "<svg>" + "x" * (1 << 19))
    for path in (LEDGER, SUMMARY, FIGURE):
        product_records.record(path)
    FILES.mkdir(parents=True)
    shutil.copy(LEDGER, FILES / sha256_of(LEDGER))
    return collection


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def test_products_as_they_were_written_have_no_fault(products, call):
    assert call("verify") == (0, "3 recorded files and no stores: no faults\n", "")


def test_each_damaged_file_is_a_line_with_the_way_out_and_nothing_is_written(
    products, call, snapshot_of
):
    cut(LEDGER)
    SUMMARY.write_bytes(b"")
    before = snapshot_of(products)
    code, out, err = call("verify")
    assert (code, err) == (1, "")
    first, second, last = out.splitlines()
    assert first.startswith("data/ledger.csv has 2 of 5 lines")
    assert first.endswith(f"; {REPAIR} puts it back")
    assert second.startswith("results/summary.md ")
    assert second.endswith(
        f"; {REPAIR} moves it to build/damaged/, and the next run makes it again"
    )
    assert last == "3 recorded files and no stores: 2 faults"
    assert snapshot_of(products) == before


def test_a_change_that_keeps_size_time_and_inode_is_found(products, call):
    state = FIGURE.stat()
    product_records.check(FIGURE)
    with FIGURE.open("r+b") as file:
        file.write(b"<SVG>")
    os.utime(FIGURE, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert call("verify")[1].startswith(f"{FIGURE} is not as its job wrote it")


def test_a_repair_puts_back_or_moves_and_deletes_nothing(products, call):
    whole = LEDGER.read_bytes()
    cut(LEDGER)
    SUMMARY.write_text("a note of mine\n")
    code, out, _ = call("verify", "--repair")
    assert code == 0
    assert "put back; what was there is now build/damaged/data/ledger.csv" in out
    assert "moved to build/damaged/results/summary.md; the next run makes it again" in out
    assert LEDGER.read_bytes() == whole
    assert LEDGER.stat().st_mtime_ns == product_records.record_of(LEDGER).stat().st_mtime_ns
    assert not SUMMARY.exists()
    assert Path("build/damaged/results/summary.md").read_text() == "a note of mine\n"
    assert Path("build/damaged/data/ledger.csv").read_bytes() == whole[: len(whole) // 2]
    assert out.endswith(": 2 faults, none left\nNow run again: trailers12k run\n")
    assert call("verify")[:2] == (
        1,
        "results/summary.md is missing; run: trailers12k run\n"
        "3 recorded files and no stores: 1 fault\n",
    )
    # A second time, under another name.
    cut(LEDGER)
    assert "is now build/damaged/data/ledger.csv-2" in call("verify", "--repair")[1]


def test_a_recorded_file_that_the_configuration_asks_for_must_be_there(products, call, snapshot_of):
    for path in (SUMMARY, FIGURE):
        path.unlink()
    before = snapshot_of(products)
    lines = [f"{path} is missing; run: trailers12k run" for path in (SUMMARY, FIGURE)]
    code, out, _ = call("verify")
    assert code == 1 and out.splitlines()[:-1] == lines
    whole = LEDGER.read_bytes()
    cut(LEDGER)
    # What may be the cause is in the last line of a long list.
    assert call("verify")[1].splitlines()[-2].startswith(f"{LEDGER} has ")
    LEDGER.write_bytes(whole)
    before = snapshot_of(products)
    # The next run makes it: nothing is left for a person to do.
    code, out, _ = call("verify", "--repair")
    assert code == 0 and f"{FIGURE} is missing: the next run makes it again\n" in out
    assert snapshot_of(products) == before


def test_what_was_never_made_or_is_not_asked_for_any_more_may_be_missing(products, call):
    store, run = Path("data/of_old_backbone.csv"), Path("results/runs/old/split0/best.pt")
    for path in (store, run):
        write_text(path, "x")
        product_records.record(path)
        path.unlink()
    of_run = Path("results/runs/new/split0/best.pt")
    write_text(of_run, "x")
    product_records.record(of_run)
    of_run.unlink()
    assert call("verify")[0] == 0
    config = Path("config.yaml")
    config.write_text(config.read_text().replace("  EfficientNet-Lite0:", "  new:"))
    assert call("verify")[1].startswith(f"{of_run} is missing; run: trailers12k run\n")


def test_the_last_line_counts_what_a_repair_leaves(products, call):
    assert call("verify", "--repair")[1].endswith(" stores: no faults\n")
    outside = products.parent / "outside"
    shutil.move("results/figures", outside)
    Path("results/figures").symlink_to(outside)
    cut(outside / FIGURE.name)
    code, out, _ = call("verify", "--repair")
    assert code == 1 and out.endswith(" stores: 1 fault, 1 left\n")
    cut(LEDGER)
    code, out, _ = call("verify", "--repair")
    assert code == 1 and out.endswith(" stores: 2 faults, 1 left\n")


@pytest.mark.parametrize("place", ["data", "build/records", "results/figures"])
def test_what_cannot_be_read_is_a_fault(products, call, monkeypatch, place):
    """Root may read everything, so the system's calls refuse here."""

    def refused(original):
        def call_(path, *arguments, **named):
            name = os.path.relpath(os.fspath(path))
            is_inside = name.startswith(f"{place}/")
            if is_inside or (name == place and original is scandir):
                raise PermissionError(errno.EACCES, "Permission denied", name)
            return original(path, *arguments, **named)

        return call_

    scandir = os.scandir
    for function in ("lstat", "scandir", "open"):
        monkeypatch.setattr(os, function, refused(getattr(os, function)))
    code, out, _ = call("verify")
    assert code == 1 and f"{place} {PERMISSIONS}\n" in out


@pytest.mark.parametrize("fails", ["copyfile", "copy2"])
def test_a_full_disk_leaves_all_as_it_was(products, call, snapshot_of, monkeypatch, fails):
    def full(source, target, **_):
        Path(target).write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    def other_disk(path, target):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    cut(LEDGER)
    before = snapshot_of(products)
    monkeypatch.setattr(shutil, fails, full)
    monkeypatch.setattr(Path, "rename", other_disk)
    code, out, _ = call("verify", "--repair")
    assert code == 1 and "not repaired: [Errno 28] No space left on device" in out
    assert snapshot_of(products) == before


def in_place(path: Path, kind: str) -> None:
    path.unlink()
    if kind == "folder":
        path.mkdir()
        (path / "mine").write_text("a file of mine")
    elif kind == "link to itself":
        path.symlink_to(path.name)
    elif kind == "link":
        outside = path.absolute().parents[2] / "outside.csv"
        outside.write_text("of another folder")
        path.symlink_to(outside)
    else:
        os.mkfifo(path)


@pytest.mark.parametrize("kind", ["folder", "link to itself", "link", "pipe"])
def test_what_is_in_the_place_of_a_file_is_moved_as_it_is(products, call, kind):
    whole = LEDGER.read_bytes()
    in_place(LEDGER, kind)
    assert call("verify")[0] == 1
    assert call("verify", "--repair")[0] == 0
    assert LEDGER.read_bytes() == whole and not LEDGER.is_symlink()
    moved = Path("build/damaged/data/ledger.csv")
    assert os.path.lexists(moved)
    if kind == "folder":
        assert (moved / "mine").read_text() == "a file of mine"
    if kind == "link":
        assert moved.is_symlink()
        assert (products.parent / "outside.csv").read_text() == "of another folder"


def test_a_damaged_copy_in_the_cache_is_not_put_back(products, call):
    cut(LEDGER)
    cut(next(FILES.iterdir()))
    assert "moved to build/damaged/data/ledger.csv" in call("verify", "--repair")[1]
    assert not LEDGER.exists()


@pytest.mark.parametrize(
    "name", ["config.yaml", "films/film.mp4", "build/cache/files/x", "data/../config.yaml"]
)
def test_a_record_of_anything_but_a_product_moves_nothing(products, call, snapshot_of, name):
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    place = product_records.RECORDS / f"{name}.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps({"contents": [{"sha256": "0" * 64, "lines": 0}]}))
    before = snapshot_of(products)
    code, out, _ = call("verify", "--repair")
    # `..` in a record's path is the record of the file that it leads to.
    assert code == 1 and f"{os.path.normpath(name)} " in out and "nothing is moved" in out
    assert snapshot_of(products) == before


def test_nothing_is_moved_over_a_linked_folder(products, call, tmp_path):
    outside = tmp_path / "outside"
    shutil.move("results/figures", outside)
    Path("results/figures").symlink_to(outside)
    cut(outside / FIGURE.name)
    code, out, _ = call("verify", "--repair")
    assert code == 1 and "a folder of its path is a symbolic link" in out
    assert (outside / FIGURE.name).exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"\0" * 99, b"[]", b'{"contents": [{"sha256": "../..", "lines": 1}]}', b"[" * 9999],
)
def test_an_unreadable_record_counts_as_none(products, call, content):
    product_records.record_of(LEDGER).write_bytes(content)
    cut(LEDGER)
    before = LEDGER.read_bytes()
    assert call("verify", "--repair")[0] == 0
    assert LEDGER.read_bytes() == before


@pytest.fixture
def store(products) -> Path:
    """A store of two posters, computed in one shard."""
    store, shard = Path("data/posters_i.zarr"), Path("build/features/posters_i/000.zarr")
    for group in (store, shard):
        store_.create(group, {"num_features": 3, "input": "posters", "backbone": "a model"})
        for mid in MIDS:
            store_.write(group, mid, np.ones((1, 3), np.float32), {"fingerprint": mid})
    rows = [{"mid": mid, "clips": 1, "fingerprint": mid} for mid in MIDS]
    write_csv(store.with_suffix(".csv"), ["mid", "clips", "fingerprint"], rows)
    return store


@pytest.mark.parametrize("file", ["0.0", ".zarray", ".zattrs"])
@pytest.mark.parametrize("folder", ["data/posters_i.zarr", "build/features/posters_i/000.zarr"])
def test_a_folder_in_the_place_of_a_file_of_an_array_is_moved(store, call, folder, file):
    # A job that failed has no .zgroup: Snakemake removes it.
    (store / ".zgroup").unlink()
    path = Path(folder, MIDS[0], file)
    in_place(path, "folder")
    code, out, _ = call("verify")
    assert code == 1 and out.startswith(f"{path} is a folder; {REPAIR} moves it to build/damaged/")
    assert call("verify", "--repair")[0] == 0
    assert not path.exists() and (Path("build/damaged") / path / "mine").exists()


@pytest.mark.parametrize("kind", ["folder", "link to itself"])
@pytest.mark.parametrize("file", ["build/trailers/open/001.json", "build/sheets/tt0000001.jpg"])
def test_what_blocks_a_file_without_a_record_is_moved(products, call, file, kind):
    path = Path(file)
    write_text(path, "{}")
    assert call("verify")[0] == 0
    in_place(path, kind)
    assert f"{path} is a " in call("verify")[1]
    assert call("verify", "--repair")[0] == 0
    assert not os.path.lexists(path) and os.path.lexists(Path("build/damaged") / path)
    assert call("verify")[0] == 0


def test_damaged_arrays_are_removed_from_a_store_and_its_shard(store, call):
    mids = MIDS
    assert call("verify")[1] == "3 recorded files and 1 store: no faults\n"
    cut(store / mids[0] / "0.0")
    code, out, _ = call("verify")
    assert code == 1
    assert out.startswith(f"{store} has damaged arrays ({mids[0]}: ")
    assert f"; {REPAIR} removes its damaged arrays" in out
    code, out, _ = call("verify", "--repair")
    assert code == 0 and f": removed the arrays of {mids[0]}\n" in out
    assert not (store / mids[0]).exists() and (store / mids[1]).exists()


def test_a_repair_leaves_what_may_not_be_read(store, fetched, snapshot_of):
    """In a process of its own, since root may read all files."""
    drop = [] if os.getuid() else ["setpriv", "--inh-caps=-all", "--bounding-set=-all"]
    if drop and not shutil.which("setpriv"):
        pytest.skip("root needs setpriv")
    before, trailer = snapshot_of(Path()), Path("build/trailers/tt0000001.mp4")
    closed = [LEDGER, trailer, store / MIDS[0] / "0.0", store / MIDS[1]]
    for path in closed:
        path.chmod(0)
    main = "from trailers12k.cli.main import main; main()"
    command = [*drop, sys.executable, "-c", main, "verify", "--repair"]
    done = subprocess.run(command, capture_output=True, text=True)
    for path in closed:
        path.chmod(0o700)
    *faults, last = done.stdout.splitlines()
    named = [LEDGER, trailer, store / MIDS[1], f"{store} {MIDS[0]}:"]
    assert (done.returncode, done.stderr) == (1, "")
    assert faults == [f"{name} {PERMISSIONS}" for name in named]
    assert last.endswith(": 4 faults, 4 left")
    assert snapshot_of(Path()) == before


def test_no_verification_while_a_run_is_at_work(products, call):
    lock = Path(".snakemake/locks/0.input.lock")
    lock.parent.mkdir(parents=True)
    lock.touch()
    code, _, err = call("verify")
    assert code == 2 and err.startswith("error: verify: Snakemake is running in this folder")


@pytest.fixture
def fetched(collection) -> Path:
    """A trailer and a poster with their ledgers, and a file that belongs to the user."""
    for stage, name in (("trailers", "tt0000001.mp4"), ("posters", "tt0000001.jpg")):
        path = Path("build", stage, name)
        write_text(path, f"a file of {stage}")
        write_text(path.with_suffix(".json"), "{}")
        row = {"mid": "tt0000001", "status": "ok", "file": path.as_posix()}
        row |= {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
        own = row | {"mid": "tt0000002", "file": "films/tt0000002.mp4", "bytes": 1}
        columns = ["mid", "status", "bytes", "sha256", "file"]
        write_csv(Path("build/ledger", stage, "000.csv"), columns, [row, own])
    write_text(Path("films/tt0000002.mp4"), "mine")
    return collection


def test_a_damaged_trailer_or_poster_is_moved_with_what_keeps_it_from_being_fetched(
    fetched, call, snapshot_of
):
    trailer, poster = Path("build/trailers/tt0000001.mp4"), Path("build/posters/tt0000001.jpg")
    assert call("verify") == (0, "2 recorded files and no stores: no faults\n", "")
    cut(trailer)
    write_text(poster, "A" + poster.read_text()[1:])
    before = snapshot_of(fetched)
    code, out, _ = call("verify")
    fetches = f"; {REPAIR} moves it to build/damaged/, and the next run fetches it again"
    assert code == 1 and out.splitlines() == [
        f"{trailer} has 9 of 18 bytes{fetches}",
        f"{poster} is not as it was fetched{fetches}",
        "2 recorded files and no stores: 2 faults",
    ]
    assert snapshot_of(fetched) == before
    assert call("verify", "--repair")[0] == 0
    for path in (trailer, poster):
        ledger = Path("build/ledger", path.parent.name, "000.csv")
        for moved in (path, path.with_suffix(".json"), ledger):
            assert not moved.exists() and Path("build/damaged", moved).is_file()
    assert Path("films/tt0000002.mp4").read_text() == "mine"
    assert call("verify")[0] == 0


def test_a_folder_in_the_place_of_a_trailer_is_moved_once(fetched, call):
    path = Path("build/trailers/tt0000001.mp4")
    in_place(path, "folder")
    code, out, _ = call("verify", "--repair")
    assert code == 0 and out.count(str(path)) == 2  # the line, and where it is now
    assert Path("build/damaged", path, "mine").is_file()
    assert not Path("build/ledger/trailers/000.csv").exists()
