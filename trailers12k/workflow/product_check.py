"""Compares the products of a folder with the records of the jobs that wrote them, and repairs them.

Reads data/, build/ and results/; `repair` puts files back from build/cache/files/ and moves damaged
ones to build/damaged/. Must not know the rules: every product with a record, or with its sha256 in
a ledger of downloads, is compared.
"""

import os
import re
import shutil
import stat
from collections.abc import Callable, Collection, Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from errno import EACCES, ENOENT, EXDEV
from pathlib import Path

from trailers12k.common import product_records
from trailers12k.common.content_hashes import BUILD, CACHE
from trailers12k.common.errors import UserError
from trailers12k.common.files import below, inside, partial_of, remove_leftover, sha256_of
from trailers12k.features import integrity
from trailers12k.features.store_index import DATA
from trailers12k.jobs.ledger import read_shard
from trailers12k.jobs.result_cache import FILES

TOPS = ("data", "build", "results")
"""The folders of products. Each may be a link to another disk; no folder below one may."""
DAMAGED = BUILD / "damaged"
"""Where damaged files are moved, by their own paths. No version keeps them."""
OTHERS = (CACHE, product_records.RECORDS, DAMAGED)
"""Folders of build/ that hold no products."""
FETCHED = {
    BUILD / "ledger/trailers": BUILD / "trailers",
    BUILD / "ledger/posters": BUILD / "posters",
}
"""Folders of ledgers -> of the files that they name with their sizes and sha256."""
MISMATCH = "is not as its job wrote it"
FILE = re.compile(
    r"\.(csv|json|tsv|html|js|md|yaml|svg|png|jpg|mp4|npy|npz|pt|zgroup|zarray|zattrs)$|^0\.0$"
)
"""Names of files that jobs write."""
MOVES = f"moves it to {DAMAGED}/, and the next run makes it again"
FETCHES = f"moves it to {DAMAGED}/, and the next run fetches it again"
MADE = "the next run makes it again"
PERMISSIONS = "cannot be read (Permission denied); change its permissions"
"""Of a file whose content may be sound: a repair leaves it."""
REMOVE_ARRAYS = "removes its damaged arrays, and the next run computes them again"


@dataclass(frozen=True)
class ProductFault:
    """What is wrong with a product.

    reason: in words that follow the path. remedy: what `repair` does, in words that follow its
    name; empty when it can do nothing. in_store: the faults of a store's arrays. beside: files of
    the same job that are moved as well, so that the next run fetches the product again. is_missing:
    whether the next run makes it, without a repair.
    """

    path: Path
    reason: str
    remedy: str = ""
    in_store: tuple[integrity.Fault, ...] = ()
    beside: tuple[Path, ...] = ()
    is_missing: bool = False


@dataclass(frozen=True)
class Check:
    """How many files and stores were compared, and what is wrong with them."""

    files: int
    stores: int
    faults: tuple[ProductFault, ...]


def check(expected: Container[str] = ()) -> Check:
    """Compare every recorded product of the current folder, every trailer and poster with its row
    in the ledger, and read every array of its stores.

    expected: the files that the configuration asks for; of these a recorded one must be there.
    Writes nothing.
    """
    errors: list[OSError] = []
    files, faults = 0, []
    for path in product_records.recorded(errors.append):
        try:
            os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            if path.as_posix() not in expected or not product_records.contents_of(path):
                continue
            faults.append(ProductFault(path, "is missing", is_missing=True))
        except OSError as error:
            errors.append(error)
        else:
            faults += [fault] if (fault := _fault_of(path)) else []
        files += 1
    fetched = list(_fetched())
    faults += [fault for each in fetched if (fault := _fault_of_fetched(*each))]
    stores = sorted(path for path in DATA.glob("*.zarr") if os.path.isfile(path / ".zgroup"))
    faults += list(_out_of_place({fault.path for fault in faults}, errors.append))
    unreadable = {Path(error.filename): error for error in errors if error.errno != ENOENT}
    faults += [
        ProductFault(path, PERMISSIONS if why.errno == EACCES else _words(why))
        for path, why in unreadable.items()
    ]
    damaged = {fault.path for fault in faults}
    for store in stores:
        faults += _faults_of_store(store, damaged)
    # A failed job leaves many files missing, for which another fault may be the cause.
    faults.sort(key=lambda fault: not fault.is_missing)
    return Check(files + len(fetched), len(stores), tuple(faults))


def repair(fault: ProductFault) -> str:
    """Put a product back, or out of the way of the job that makes it again; what was done.

    No file is deleted: a person may have edited it. Raises `UserError` when nothing can be done,
    and OSError, for example of a full disk; then the product is as before.
    """
    if fault.is_missing:
        return MADE
    if fault.in_store:
        removed = integrity.repair(fault.path, fault.in_store)
        return f"removed the arrays of {', '.join(removed)}"
    if reason := _distrust_of(fault.path):
        raise UserError(f"{fault.path}: {reason}")
    kept = _kept_content(fault.path)
    if kept:
        # The copy comes first: a disk may be full.
        with _copy_of(kept, fault.path) as copy:
            if copy:
                place = _set_aside(fault.path)
                copy.replace(fault.path)
                return f"put back; what was there is now {place}"
    place = _set_aside(fault.path)
    for path in filter(os.path.lexists, fault.beside):
        _set_aside(path)
    return f"moved to {place}; the next run {'fetches' if fault.beside else 'makes'} it again"


def _fault_of(path: Path) -> ProductFault | None:
    reason = product_records.fault_of(path) or _mismatch(path)
    if not reason:
        return None
    if product_records.is_denied(path):
        return ProductFault(path, PERMISSIONS)
    if distrust := _distrust_of(path):
        return ProductFault(path, f"{reason}; {distrust}")
    return ProductFault(path, reason, "puts it back" if _kept_content(path) else MOVES)


def _mismatch(path: Path) -> str:
    """What reading a file finds: `fault_of` trusts size and time of a large one."""
    known = {content.sha256 for content in product_records.contents_of(path)}
    if not known or not path.is_file():
        return ""
    try:
        return "" if sha256_of(path) in known else MISMATCH
    except OSError as error:
        return _words(error)


def _words(error: OSError) -> str:
    return f"cannot be read ({error.strerror})"


def _fetched() -> Iterator[tuple[Path, dict[str, str]]]:
    """The ledgers of downloads, each with the rows whose files are there.

    A file may have been deleted after its features were made. A damaged ledger is a fault of its
    own, and names no files.
    """
    for ledgers, folder in FETCHED.items():
        for ledger in sorted(ledgers.glob("*.csv")):
            try:
                rows = read_shard(ledger, ["bytes", "sha256", "file"])
            except (UserError, OSError):
                continue
            for row in rows:
                # Only what the job of this stage wrote: never a file of the user.
                file = Path(row["file"])
                is_own = file.parent == folder and file.stem == row["mid"]
                if is_own and row["bytes"] and row["sha256"] and os.path.lexists(file):
                    yield ledger, row


def _fault_of_fetched(ledger: Path, row: dict[str, str]) -> ProductFault | None:
    """What is wrong with a trailer or poster. Its size is compared before it is read."""
    path = Path(row["file"])
    try:
        if not path.is_file():
            reason = "is a folder" if path.is_dir() else "is not a file"
        elif (size := path.stat().st_size) != int(row["bytes"]):
            reason = f"has {size} of {row['bytes']} bytes"
        else:
            reason = "" if sha256_of(path) == row["sha256"] else "is not as it was fetched"
    except OSError as error:
        reason = _words(error)
    if not reason:
        return None
    if product_records.is_denied(path):
        return ProductFault(path, PERMISSIONS)
    # Without its record it counts as a first attempt, and the ledger gets the same row again.
    beside = (path.with_suffix(".json"), ledger)
    if distrust := next(filter(None, map(_distrust_of, (path, *beside))), ""):
        return ProductFault(path, f"{reason}; {distrust}")
    return ProductFault(path, reason, FETCHES, beside=beside)


def _out_of_place(
    known: Collection[Path], unreadable: Callable[[OSError], None]
) -> Iterator[ProductFault]:
    """Folders in the place of a file, and links to nothing, which no job may write over.

    Of all files of the run, since those beside the products have no records. known: faults that
    were found before. unreadable: called for a folder that cannot be read.
    """
    for top in TOPS:
        for name, folders, files in os.walk(top, onerror=unreadable):
            folder = Path(name)
            paths = [folder / each for each in sorted(folders) if FILE.search(each)]
            links = (folder / each for each in sorted(files))
            paths += [path for path in links if path.is_symlink() and not path.exists()]
            folders[:] = [each for each in folders if folder / each not in (*OTHERS, *paths)]
            for path in paths:
                if path not in known:
                    reason = "is a link to nothing" if path.is_symlink() else "is a folder"
                    distrust = _distrust_of(path)
                    reason = f"{reason}; {distrust}" if distrust else reason
                    yield ProductFault(path, reason, "" if distrust else MOVES)


def _faults_of_store(store: Path, damaged: Collection[Path]) -> list[ProductFault]:
    """What is wrong with the arrays of a store. Tables that are damaged themselves are left out."""
    tables = (store.with_suffix(".csv"), DATA / "clips.csv")
    used = [path if path.is_file() and path not in damaged else None for path in tables]
    try:
        found = integrity.verify(store, *used)
    except ValueError as error:
        return [ProductFault(store, f"cannot be verified: {' '.join(str(error).split())[:300]}")]
    named = {path.parent.name for path in damaged if path.parent.parent == store}
    named |= {path.name for path in damaged if path.parent == store}
    found = [each for each in found if each.mid not in named]
    denied = {each.mid for each in found if each.mid and _is_denied_in(store, each.mid)}
    faults = [ProductFault(store, f"{mid}: {PERMISSIONS}") for mid in sorted(denied)]
    found = [each for each in found if each.mid not in denied]
    arrays = tuple(each for each in found if each.mid and not each.is_foreign)
    faults += [ProductFault(store, str(each)) for each in found if each not in arrays]
    if arrays:
        more = f", and {len(arrays) - 1} more" if arrays[1:] else ""
        faults.append(
            ProductFault(store, f"has damaged arrays ({arrays[0]}{more})", REMOVE_ARRAYS, arrays)
        )
    return faults


def _is_denied_in(store: Path, mid: str) -> bool:
    """Whether this process may not read the folder of an array, or a file in it."""
    try:
        array = inside(store, mid)
    except UserError:  # a link that leaves the store
        return False
    is_closed = array.is_dir() and not os.access(array, os.R_OK | os.X_OK)
    return is_closed or any(map(product_records.is_denied, array.glob("*")))


def _distrust_of(path: Path) -> str:
    """Why a path that a record names is not touched; empty for a product of this folder."""
    parts = path.parts
    if path.is_absolute() or ".." in parts or len(parts) < 2 or parts[0] not in TOPS:
        return "its record names no product of this folder, so nothing is moved"
    if any(other in (path, *path.parents) for other in OTHERS):
        return "its record names no product of this folder, so nothing is moved"
    if any(each.is_symlink() for each in path.parents if len(each.parts) > 1):
        return "a folder of its path is a symbolic link, so nothing is moved; remove the link"
    return ""


def _kept_content(path: Path) -> Path | None:
    """The copy of what a job wrote last, in the cache of results; None where there is none.

    Only the last content: an earlier one would belong to other inputs.
    """
    for content in product_records.contents_of(path)[:1]:
        kept = FILES / content.sha256
        try:
            if stat.S_ISREG(kept.lstat().st_mode) and sha256_of(kept) == content.sha256:
                return kept
        except OSError:
            return None
    return None


def _set_aside(path: Path) -> Path:
    """Move a file, folder or link to a free path below build/damaged/, which is returned."""
    place, number = below(DAMAGED, path.as_posix()), 1
    while os.path.lexists(place):
        number += 1
        place = below(DAMAGED, f"{path.as_posix()}-{number}")
    if any(each.is_symlink() for each in place.parents if BUILD in each.parents):
        raise UserError(f"{DAMAGED} holds symbolic links; remove them")
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.rename(place)
    except OSError as error:
        if error.errno != EXDEV:
            raise
        _move_to_other_disk(path, place)
    return place


def _move_to_other_disk(path: Path, place: Path) -> None:
    """Move a file, folder or link; when it cannot be copied whole, nothing is changed."""
    partial = partial_of(place)
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.copytree(path, partial, symlinks=True)
        else:
            shutil.copy2(path, partial, follow_symlinks=False)
        partial.rename(place)
    finally:
        remove_leftover(partial)
    remove_leftover(path)


@contextmanager
def _copy_of(kept: Path, path: Path) -> Iterator[Path | None]:
    """A copy of a content of the cache beside its path; None when it is not whole any more.

    With the time of its record, which its job wrote right after it: jobs that read it, and ran
    since, need not run again.
    """
    record = product_records.record_of(path)
    partial = partial_of(path)
    try:
        shutil.copyfile(kept, partial)
        if record:
            written = record.stat().st_mtime_ns
            os.utime(partial, ns=(written, written))
        yield partial if sha256_of(partial) == kept.name else None
    finally:
        partial.unlink(missing_ok=True)
