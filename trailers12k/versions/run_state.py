"""The state of a run: what Snakemake must know to continue, as one small file beside the products.

Reads build/ and .snakemake/metadata; writes build/state.tar.gz, which DVC keeps, and its hash
build/state.sha256. The state holds ledgers, clips, records and what Snakemake remembers of each
product; no videos, pictures or arrays. Must not know DVC or Git.
"""

import base64
import binascii
import gzip
import os
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from trailers12k.common.errors import UserError
from trailers12k.common.files import PARTIAL, partial_of, replacing, sha256_of, write_text
from trailers12k.common.movie import is_mid
from trailers12k.workflow.folder import COLLECTION, RESTORED, STATE, restored

MEMORY = Path(".snakemake/metadata")
"""One file per product, by which Snakemake knows how it was made."""
BEGUN = "begun"
"""The content of `RESTORED` while build/ is being restored."""
TABLES = (".csv", ".json", ".zgroup", ".zattrs")
EXCLUDED = (
    *("weights", "packed", "training", "predictions", "published", "stores", "cache"),
    "stopped.json",
)
"""Parts of build/ that can be made again without any video, or belong to this machine and day."""
RANDOM_WEIGHTS = Path("build/weights/random.json")
"""Names the networks of a version, so it belongs to its state: Snakemake compares its content."""
SEPARATE = {"build/sources": "files", "build/ledger": "trailers"}
"""Folders of build/ -> the subfolder that no state holds: files of the sources, and the ledgers
that DVC keeps as the output of a stage."""
FORGOTTEN = ("build/predictions", "results/predictions", "results/review")
"""Products that Snakemake need not remember."""


def write() -> None:
    """Keep build/ and what Snakemake remembers as one file. Equal states give equal bytes."""
    with replacing(STATE) as partial:
        _write_archive(partial)
    mark_restored(sha256_of(STATE))


def is_saved() -> bool:
    """Whether build/ is as the last state has it, so that restoring another one loses nothing."""
    lines = restored()
    if not lines:
        return next(state_files(), None) is None
    return lines == [BEGUN] or current_hash() == lines[1]


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


def mark_begun() -> None:
    """Record that build/ is being restored, so that it belongs to no state until that is done."""
    write_text(RESTORED, f"{BEGUN}\n")


def _write_archive(path: Path) -> None:
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=3, fileobj=raw, mtime=0) as packed,
        tarfile.open(mode="w", fileobj=packed, format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in sorted(state_files()):
            with path.open("rb") as file:
                member = tarfile.TarInfo(path.as_posix())
                member.size = os.fstat(file.fileno()).st_size
                tar.addfile(member, file)


def state_files() -> Iterator[Path]:
    """The files of build/ and of Snakemake's memory that a state holds."""
    yield from (path for path in (COLLECTION, RANDOM_WEIGHTS) if path.exists())
    for name, folders, files in os.walk("build"):
        folder = Path(name)
        if folder == Path("build"):
            folders[:] = [each for each in folders if each not in EXCLUDED]
            continue
        if separate := SEPARATE.get(folder.as_posix()):
            folders[:] = [each for each in folders if each != separate]
        # Arrays of stores, and temporary folders beside them.
        folders[:] = [each for each in folders if not is_mid(each) and not each.endswith(PARTIAL)]
        yield from (folder / file for file in files if file.endswith(TABLES))
    for path in _memory_files():
        product = _product_of(path)
        if product and not any(map(product.is_relative_to, FORGOTTEN)):
            yield path


def check_state() -> list[PurePosixPath]:
    """Read the state to its end; the files that it holds.

    Raises `UserError` when it is damaged, or holds a file that belongs to no state.
    """
    try:
        with tarfile.open(STATE) as tar:
            members = tar.getmembers()
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise UserError(f"{STATE}: {error}; put it back: dvc checkout --force {STATE}") from error
    for member in members:
        path = PurePosixPath(member.name)
        is_inside = path.is_relative_to("build") or path.is_relative_to(MEMORY.as_posix())
        if not member.isreg() or not is_inside or ".." in path.parts:
            raise UserError(f"{STATE}: {member.name!r} belongs to no state; do not trust this file")
    return [PurePosixPath(member.name) for member in members]


def unpack_state() -> None:
    """Replace the files of build/ and of Snakemake's memory by those of the state."""
    for path in list(state_files()):
        path.unlink()
    with tarfile.open(STATE) as tar:
        for member in tar:
            # Not `extractall`, which refuses a build/ that is a link to another disk.
            path, file = Path(member.name), tar.extractfile(member)
            assert file is not None  # `check_state` refuses all but regular files
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.read())
    # Without this folder Snakemake takes its memory for that of an older Snakemake.
    MEMORY.with_name("incomplete").mkdir(exist_ok=True)


def remembered_products() -> Iterator[Path]:
    """The products that Snakemake remembers."""
    yield from filter(None, map(_product_of, _memory_files()))


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
