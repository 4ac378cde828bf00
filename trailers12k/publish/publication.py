"""Writes a publication of a finished run: one folder, whole or not at all.

Reads data/ and results/; writes the folder, under a temporary name beside it until it is whole. An
earlier publication is replaced. Must not know whether the run is finished, nor which files it has.
"""

import errno
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from trailers12k.common import sum_files
from trailers12k.common.bounded_files import read_bytes, shown_path
from trailers12k.common.errors import UserError
from trailers12k.common.files import (
    PARTIAL,
    TEMPORARY,
    below,
    is_being_written,
    partial_of,
    remove_leftover,
)
from trailers12k.common.sum_files import MD5SUMS, SHA256SUMS
from trailers12k.common.text import is_printable
from trailers12k.publish import assembly, stamp
from trailers12k.publish.facts import Facts
from trailers12k.publish.packing import stores, tables
from trailers12k.publish.packing.records import Limits
from trailers12k.settings import Settings

log = logging.getLogger(__name__)

OF_RUNS = (
    *("data", "build", "results", "logs", "benchmarks"),
    *(".snakemake", ".git", ".dvc", "trailers12k"),
)
"""Folders below the collection's that hold something else."""
OWN = ("mtgc.csv", "movies.csv.gz", "ledger.csv.gz", "metadata.tar.gz")
"""Files by which a publication is known."""
SPARE = 1.02
"""Bytes of a publication by byte of what it is made of, at most: archives add headers of tar."""
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
LEAST_FREE = 50_000_000
"""Bytes for the files that do not grow with the stores."""


def check_collection(settings: Settings) -> None:
    """Raise `UserError` for the authors' own features."""
    if settings.is_published:
        raise UserError(
            "publish: movies: published are the authors' own features, which are published "
            "already; publish a collection of your own movies"
        )


def check_target(to: Path) -> Path:
    """The folder that a publication is written to, with links followed; changes nothing.

    Raises `UserError` for a folder of runs, for one that contains the collection, and for a folder
    with anything but a publication.
    """
    target = _place(to)
    here = Path(os.path.realpath("."))
    if here.is_relative_to(target):
        raise UserError(f"publish: {shown_path(to)} contains this collection; name a new folder")
    for name in OF_RUNS:
        if target.is_relative_to(os.path.realpath(name)):
            raise UserError(
                f"publish: {shown_path(to)} is in {name}/, which runs write; name a folder of its "
                f"own, such as {stamp.FOLDER}"
            )
    if target.exists() and not target.is_dir():
        raise UserError(f"publish: {shown_path(to)} is a file; name a folder")
    if foreign := foreign_file(target):
        raise UserError(
            f"publish: {shown_path(to)} holds {shown_path(foreign)}, which is of no publication; "
            "name a new folder, or move that file"
        )
    return target


def _place(to: Path) -> Path:
    """The absolute path of a folder, which need not exist. Raises `UserError` for no folder name,
    and for a link to nothing or to itself."""
    if to.is_symlink() and not to.exists():
        raise UserError(f"publish: {shown_path(to)} is a link to nothing; remove it")
    try:
        if not is_printable(str(to)):
            raise ValueError("it has a character that no folder's name should have")
        target = Path(os.path.realpath(to))
        target.exists()  # which raises OSError for a path that is too long
    except (OSError, ValueError) as error:
        words = getattr(error, "strerror", None) or error
        raise UserError(f"publish: {shown_path(to)}: {words}; name another folder") from None
    return target


def foreign_file(folder: Path) -> str:
    """The path, below a folder, of the first file that is not of the publication there; empty
    where there is none."""
    if not folder.is_dir():
        return ""
    try:
        path = folder / SHA256SUMS
        lines = read_bytes(path, sum_files.MOST_BYTES).decode().splitlines()
        listed = {*sum_files.parse(lines, path, sum_files.DIGITS[SHA256SUMS])}
    except ValueError:
        listed = set()
    # Others list the sums of their files, too.
    own = {*listed, MD5SUMS, SHA256SUMS} if listed >= {*OWN} else set()
    return next((name for name in _names(folder) if name not in own), "")


def _names(folder: Path) -> Iterator[str]:
    """The paths of all that is no folder, below a folder. Links are not followed."""
    for parent, folders, files in os.walk(folder):
        folders.sort()
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]
        for name in sorted([*files, *links]):
            yield os.path.relpath(os.path.join(parent, name), folder).replace(os.sep, "/")


def write(
    settings: Settings,
    to: Path,
    limits: Limits | None = None,
    say: Callable[[str], None] = log.info,
) -> Path:
    """Write a publication of the finished run in this folder; the folder that holds it.

    limits: of a record. say: is called with each line for the user.
    Raises `UserError`; an earlier publication then stays as it is.
    """
    target = check_target(to)
    target.parent.mkdir(parents=True, exist_ok=True)
    if recovered := recover(target):
        say(f"{shown_path(to)}: took up {recovered}, which an interrupted command had completed")
        check_target(to)
    facts = collect_facts(settings)
    for line in assembly.cautions(facts):
        say(line)
    tables.check(Path("data"))
    found = [stores.open_store(name) for name in settings.backbones]
    check_room(found, target.parent)
    partial = partial_of(target)
    try:
        partial.mkdir()
        assembly.fill(assembly.Written(partial), settings, facts, found, limits or Limits(), say)
        _put(partial, target)
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise UserError(_full(partial, error)) from None
    finally:
        remove_leftover(partial)
    return target


def collect_facts(settings: Settings) -> Facts:
    """What the publication says of its dataset."""
    from trailers12k.publish import collect

    return collect.facts(settings)


def recover(target: Path) -> str:
    """Clear what killed commands left beside the target; the name of a whole publication that
    was to take its place and now does, or empty.

    A publication is whole once it has `SHA256SUMS`, which is written last.
    """
    found = ""
    left = [each for each in target.parent.glob(f"*{PARTIAL}") if _is_left(each, target)]
    # Of a replacement that was interrupted between its two renames, the newer one counts.
    for partial in sorted(left, key=_time_of_sums, reverse=True):
        if not target.exists() and (partial / SHA256SUMS).is_file():
            partial.rename(target)
            found = partial.name
        else:
            remove_leftover(partial)
    return found


def _is_left(partial: Path, target: Path) -> bool:
    """Whether a killed command left this folder, which was to become the target."""
    is_ours = TEMPORARY.fullmatch(partial.name) and partial.name.startswith(f"{target.name}.")
    return bool(is_ours) and not is_being_written(partial)


def _time_of_sums(partial: Path) -> float:
    try:
        return (partial / SHA256SUMS).stat().st_mtime
    except OSError:
        return 0.0


def _put(partial: Path, target: Path) -> None:
    """Rename a whole publication into its place. What it replaces is removed afterwards."""
    if not target.exists():
        partial.rename(target)
        return
    old = partial_of(target)
    target.rename(old)
    partial.rename(target)
    shutil.rmtree(old)


def check_room(found: Sequence[stores.Store], folder: Path) -> None:
    """Raise `UserError` where the disk has no room for archives and Parquet of these stores."""
    need = LEAST_FREE + int(SPARE * sum(2 * store.value_bytes for store in found))
    need += sum(4096 * len(store.rows) for store in found)  # headers of tar
    free = shutil.disk_usage(folder).free
    if free < need:
        raise UserError(
            f"publish: {shown_path(folder)} needs up to {_size(need)} of disk space, and "
            f"{_size(free)} are free; free some, or name another folder by --to"
        )


def _full(partial: Path, error: OSError) -> str:
    """What to say where the disk takes no more."""
    written = sum(below(partial, name).lstat().st_size for name in _names(partial))
    folder = partial.parent
    return (
        f"publish: {shown_path(folder)}: {error.strerror} after {_size(written)} were written; "
        f"{_size(shutil.disk_usage(folder).free)} are free; free some, or name another folder by "
        "--to"
    )


def _size(number: int) -> str:
    return f"{number / 1e9:,.1f} GB" if number >= 10**10 else f"{number / 1e6:,.0f} MB"
