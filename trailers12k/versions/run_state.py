"""The state of a run: what Snakemake must know to continue, as one small file beside the products.

Reads build/ and .snakemake/metadata; writes build/state.tar.gz, which DVC keeps, and its hash
build/state.sha256. The state holds ledgers, clips, records and what Snakemake remembers of each
product; no videos, pictures or arrays. Must not know DVC or Git.
"""

import base64
import binascii
import gzip
import io
import os
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from trailers12k.common import product_records
from trailers12k.common.bounded_files import DamagedFile, kind_fault_of, quoted
from trailers12k.common.errors import UserError
from trailers12k.common.files import (
    PARTIAL,
    below,
    partial_of,
    remove_leftover,
    replacing,
    sha256_of,
    sweep,
    write_text,
)
from trailers12k.common.movie import is_mid
from trailers12k.versions import state_archive
from trailers12k.workflow.folder import (
    BEGUN,
    COLLECTION,
    RESTORED,
    STATE,
    restored,
)

MEMORY = Path(".snakemake/metadata")
"""One file per product, by which Snakemake knows how it was made."""
TABLES = (".csv", ".json", ".zgroup", ".zattrs")
EXCLUDED = (
    *("weights", "packed", "training", "predictions", "published", "stores", "cache"),
    *("records", "damaged", "stopped.json"),
)
"""Parts of build/ that can be made again without any video, or belong to this machine and day."""
RANDOM_WEIGHTS = Path("build/weights/random.json")
"""Names the networks of a version, so it belongs to its state: Snakemake compares its content."""
SEPARATE = {"build/sources": "files", "build/ledger": "trailers"}
"""Folders of build/ -> the subfolder that no state holds: files of the sources, and the ledgers
that DVC keeps as the output of a stage."""
PRODUCT_FOLDERS = ("build", "data", "results")
FORGOTTEN = ("build/predictions", "results/predictions", "results/review")
"""Products that Snakemake need not remember."""


def write() -> None:
    """Keep build/ and what Snakemake remembers as one file. Equal states give equal bytes."""
    with replacing(STATE) as partial:
        _write_archive(partial)
        # First, so that a kill leaves no state that build/ would not belong to.
        earlier = [*restored(), "", ""][:2]
        current = sha256_of(partial)
        write_text(RESTORED, "\n".join([*earlier, current]) + "\n")
    mark_restored(current)


def is_saved() -> bool:
    """Whether build/ is as the last state has it, so that restoring another one loses nothing."""
    lines = restored()
    if not lines:
        return next(state_files(), None) is None
    return lines[0] == BEGUN or [current_hash()] == lines[1:2]


def current_hash() -> str:
    """The sha256 of the state that `write` would write."""
    path = partial_of(STATE)
    try:
        _write_archive(path)
        return sha256_of(path)
    finally:
        path.unlink(missing_ok=True)


def mark_restored(current: str) -> None:
    """Record that build/ belongs to the state that is here.

    current: of `current_hash`; it differs from the state's own hash where stores were missing.
    """
    write_text(RESTORED, f"{sha256_of(STATE)}\n{current}\n")


def mark_begun(version: str = "", others: Iterable[str] = ()) -> None:
    """Record that a version is being restored, so that build/ belongs to no state until that ends.

    version: as the user called it. others: the products that it does not have.
    """
    write_text(RESTORED, "\n".join([BEGUN, version, *others]) + "\n")


def others_begun() -> list[str]:
    """The products to be removed by the restore that has begun and not ended."""
    lines = restored()
    return lines[2:] if lines[:1] == [BEGUN] else []


def _write_archive(path: Path) -> None:
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=3, fileobj=raw, mtime=0) as packed,
        tarfile.open(mode="w", fileobj=packed, format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in sorted(state_files()):
            member = tarfile.TarInfo(path.as_posix())
            with _opened(path) as file:
                member.size = file.seek(0, os.SEEK_END)
                file.seek(0)
                tar.addfile(member, file)


def _opened(path: Path) -> BinaryIO:
    """A file as a state holds it."""
    if path.is_relative_to(product_records.RECORDS):
        return io.BytesIO(product_records.latest_only(path))
    if fault := kind_fault_of(path):
        raise UserError(f"{path} {fault}; move it away")
    return path.open("rb")


def state_files() -> Iterator[Path]:
    """The files of build/ and of Snakemake's memory that a state holds."""
    yield from (path for path in (COLLECTION, RANDOM_WEIGHTS) if path.exists())
    for name, folders, files in os.walk("build"):
        folder = Path(name)
        folders[:] = [each for each in folders if not _is_left_out(Path(name, each))]
        if folder != Path("build"):
            yield from (folder / file for file in files if file.endswith(TABLES))
    for path in _memory_files():
        product = _product_of(path)
        if product and not any(map(product.is_relative_to, FORGOTTEN)):
            yield path
    for product in product_records.recorded():
        if _is_recorded(product) and (record := product_records.record_of(product)):
            yield record


def _is_left_out(folder: Path) -> bool:
    """Whether a state holds nothing of a folder below build/."""
    if folder.parent == Path("build"):
        return folder.name in EXCLUDED or folder.name.endswith(PARTIAL)
    # Arrays of stores, and temporary folders beside them.
    is_array = is_mid(folder.name) or folder.name.endswith(PARTIAL)
    return is_array or SEPARATE.get(folder.parent.as_posix()) == folder.name


def _may_hold(path: Path) -> bool:
    """Whether a state of this or an earlier version of the program may hold a file."""
    if path in (COLLECTION, RANDOM_WEIGHTS):
        return True
    if path.is_relative_to(MEMORY):
        return _product_of(path) is not None
    if path.is_relative_to(product_records.RECORDS):
        product = path.relative_to(product_records.RECORDS).with_suffix("")
        return path.suffix == ".json" and _is_recorded(product)
    folders = list(path.parents)[:-2]  # without build and .
    return bool(folders) and path.name.endswith(TABLES) and not any(map(_is_left_out, folders))


def _is_recorded(product: Path) -> bool:
    """Whether a state holds the record of a product: not of what it has no part in."""
    part = Path("build", *product.parts[1:2])
    is_left_out = product.parts[0] == "build" and part.name in EXCLUDED
    return not is_left_out and not any(map(product.is_relative_to, FORGOTTEN))


def check_state() -> list[PurePosixPath]:
    """Read the state to its end; the files that it holds. Changes nothing.

    Raises `UserError` when it is damaged, or holds a file that belongs to no state, and for a
    folder in the place of one of its files.
    """
    places = []
    try:
        for name, _ in state_archive.files(STATE):
            places.append(_place_of(name))
    except DamagedFile as error:
        raise UserError(f"{error}; put it back: dvc checkout --force {STATE}") from error
    # This key sorts the files of a folder right after the folder.
    places.sort(key=lambda place: place.as_posix().replace("/", "\0"))
    for place, following in pairwise(places):
        if place in (following, *following.parents):
            raise _foreign(f"{place} is in it twice, or is a folder too")
    _refuse_blocked(places)
    return [PurePosixPath(place) for place in places]


def _foreign(why: str) -> UserError:
    return UserError(f"{STATE}: {why}; do not trust this file")


def _place_of(name: str) -> Path:
    """Where a file of the state lies. Raises `UserError` for one that belongs to no state."""
    why = ""
    for folder in (Path("build"), MEMORY):
        if name.startswith(f"{folder.as_posix()}/"):
            try:
                place = below(folder, name[len(folder.as_posix()) + 1 :])
                if _may_hold(place):
                    return place
            except UserError as error:
                why = f" ({error})"
    raise _foreign(f"{quoted(name)} belongs to no state{why}")


def _refuse_blocked(places: Iterable[Path]) -> None:
    """Raise `UserError` where a folder is in the place of a file, or a file in that of a folder,
    unless the state replaces that file."""
    replaced = {*state_files()}
    for folder in {place.parent for place in places}:
        for path in (folder, *folder.parents):
            if os.path.lexists(path) and not path.is_dir() and path not in replaced:
                raise UserError(f"{path} is in the place of a folder of {STATE}; move it away")
    for place in places:
        if place.is_dir():
            raise UserError(f"{place} is a folder in the place of a file of {STATE}; move it away")


def unpack_state() -> None:
    """Replace the files of build/ and of Snakemake's memory by those of the state.

    For a state that `check_state` accepts. All is unpacked beside before anything is removed.
    """
    beside = {Path("build"): partial_of(STATE), MEMORY: partial_of(MEMORY)}
    for folder in (STATE.parent, MEMORY.parent):
        sweep(folder.absolute())
    try:
        unpacked = [_unpack(name, blocks, beside) for name, blocks in state_archive.files(STATE)]
        for path in list(state_files()):
            path.unlink()
        for product in product_records.recorded():  # also those that no state holds
            product_records.forget(product)
        for path, place in unpacked:
            place.parent.mkdir(parents=True, exist_ok=True)
            path.replace(place)
    finally:
        for folder in beside.values():
            remove_leftover(folder)
    # Without this folder Snakemake takes its memory for that of an older Snakemake.
    MEMORY.with_name("incomplete").mkdir(exist_ok=True)


def _unpack(name: str, blocks: Iterable[bytes], beside: Mapping[Path, Path]) -> tuple[Path, Path]:
    """Write a file of the state below a temporary folder; its path and the place it is for.

    beside: the temporary folders of build/ and Snakemake's memory, on the same disk as these.
    """
    place = _place_of(name)
    folder = next(each for each in beside if place.is_relative_to(each))
    path = below(beside[folder], place.relative_to(folder).as_posix())
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.writelines(blocks)
    return path, place


def record_products() -> None:
    """Record the products that Snakemake remembers and that have no record: an older state has
    none."""
    for path in remembered_products():
        if not product_records.contents_of(path):
            product_records.record(path)


def remembered_products() -> Iterator[Path]:
    """The products that Snakemake remembers, of those in the folders of products."""
    for path in filter(None, map(_product_of, _memory_files())):
        top, _, rest = path.as_posix().partition("/")
        if top in PRODUCT_FOLDERS:
            with suppress(UserError):
                yield below(top, rest)


def _memory_files() -> list[Path]:
    return sorted(path for path in MEMORY.rglob("*") if path.is_file())


def _product_of(memory: Path) -> Path | None:
    """The product that a file of Snakemake's memory describes; None for any other file."""
    # A long name is cut into folders that begin with @.
    name = "".join(part.removeprefix("@") for part in memory.relative_to(MEMORY).parts)
    try:
        return Path(os.fsdecode(base64.b64decode(name, altchars="-_", validate=True)))
    except (binascii.Error, ValueError):
        return None
