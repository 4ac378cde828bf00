"""Records of products: what jobs wrote, so that damage is noticed before a file is read.

Reads products; reads and writes build/records/, one small file per product. Must not know what the
products mean. Standard library only: every job and every start of Snakemake waits for it.
"""

import json
import logging
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from trailers12k.common.bounded_files import read_small
from trailers12k.common.content_hashes import BUILD, content_of, has_links
from trailers12k.common.errors import UserError
from trailers12k.common.files import write_json
from trailers12k.common.messages import unwritten

log = logging.getLogger(__name__)

RECORDS = BUILD / "records"
MOST = 50
"""Contents of a product that its record keeps, latest first: `dvc checkout` puts earlier ones back.
A record then has at most 6 kB."""
MOST_BYTES = 1 << 16
"""A larger file is no record."""
SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
REPAIR = "trailers12k verify --repair"
OWN_FILES = {
    "data/mtgc.csv": "; for splits of your own, keep a copy and name it in splits.extend",
    "data/curation.csv": "; decisions belong in the file that `curation` names",
    "data/movies.csv": "; change the movie table or curation.csv instead",
    "data/metadata.json": "; change the movie table or curation.csv instead",
}
"""What a person who edited a product wants, and where it belongs."""


@dataclass(frozen=True)
class Content:
    """A content that jobs wrote to a product. lines: of a table; 0 for other files. size: in bytes;
    None in a record of before it was kept."""

    sha256: str
    lines: int = 0
    size: int | None = None


def record(path: str | os.PathLike[str]) -> None:
    """Record the present content of a product, which its job has just written whole.

    Files inside the run's folder have a record; folders, absolute paths and what is missing have
    none. Where a record cannot be written, the earlier one is removed: without a record the file is
    not compared. Raises `UserError` when that is not possible either, else the file would count as
    damaged.
    """
    path, place = _relative(path), record_of(path)
    if place is None or not os.path.isfile(path):
        return
    if has_links(place):
        log.warning("%s leads over a symbolic link: %s is not recorded", place, path)
        return
    try:
        digest = content_of(path)
        if digest is None:
            return
        earlier = contents_of(path)
        if earlier and earlier[0].sha256 == digest and earlier[0].size is not None:
            return
        latest = Content(digest, _lines_of(path), os.path.getsize(path))
        kept = [latest, *(content for content in earlier if content.sha256 != digest)]
        write_json(place, _rows(kept[:MOST]))
    except OSError as error:
        _forget(place, error)


def fault_of(path: str | os.PathLike[str]) -> str:
    """What is wrong with a product, in words that follow its name; empty when nothing is.

    Nothing is when it has no readable record, when it is missing, or when its content is one that
    its record lists. Writes nothing.
    """
    path, known = _relative(path), contents_of(path)
    if not known:
        return ""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        return f"cannot be read ({error.strerror or error})"
    try:
        found = os.stat(path)
        if stat.S_ISDIR(found.st_mode):
            return "is a folder"
        if not stat.S_ISREG(found.st_mode):
            return "is not a file"
        size, sizes = found.st_size, {content.size for content in known}
        # A file of another size need not be read, and may be endless.
        may_be_known = size in sizes or None in sizes
        if may_be_known and content_of(path, remembers=False) in {each.sha256 for each in known}:
            return ""
        if size > (known[0].size or size):
            return "is not as its job wrote it"
        lines = _lines_of(path)
    except FileNotFoundError:  # a link to nothing
        return "is not a file"
    except OSError as error:
        return f"cannot be read ({error.strerror or error})"
    if lines < known[0].lines:
        return f"has {lines} of {known[0].lines} lines"
    return "is not as its job wrote it"


def check(path: str | os.PathLike[str]) -> None:
    """Raise `UserError` for a product that is not as its job wrote it. Writes nothing."""
    if fault := fault_of(path):
        name = _relative(path)
        if is_denied(name):
            raise UserError(f"{name} {fault}; change its permissions")
        raise UserError(
            f"{name} is damaged or was edited: it {fault}; undo: {REPAIR}{OWN_FILES.get(name, '')}"
        )


def is_denied(path: str | os.PathLike[str]) -> bool:
    """Whether this process may not read a file, whose content may be sound."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode) and not os.access(path, os.R_OK)
    except OSError as error:
        return isinstance(error, PermissionError)


def forget(path: str | os.PathLike[str]) -> None:
    """Remove the record of a product; it is not compared any more."""
    if place := record_of(path):
        place.unlink(missing_ok=True)


def recorded(unreadable: Callable[[OSError], None] | None = None) -> Iterator[Path]:
    """The products that have a record, sorted.

    unreadable: called for a folder of records that cannot be read; otherwise it has none.
    """
    for folder, folders, files in os.walk(RECORDS, onerror=unreadable):
        folders.sort()
        for name in sorted(files):
            if name.endswith(".json"):
                yield Path(folder, name.removesuffix(".json")).relative_to(RECORDS)


def contents_of(path: str | os.PathLike[str]) -> list[Content]:
    """The contents that jobs wrote to a product, latest first; none without a readable record."""
    place = record_of(path)
    if place is None or has_links(place):
        return []
    try:
        if place.stat().st_size > MOST_BYTES:
            return []
        rows = json.loads(read_small(place))["contents"]
        return [_content(row) for row in rows]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []


def record_of(path: str | os.PathLike[str]) -> Path | None:
    """The record of a product; None for a path that is not inside the run's folder by its name."""
    name = _relative(path)
    if os.path.isabs(name) or name in ("", ".") or ".." in Path(name).parts:
        return None
    return Path(RECORDS, f"{name}.json")


def latest_only(place: Path) -> bytes:
    """A record with nothing but the latest content, as a version keeps it.

    Equal products then give equal bytes, whatever was there before. An unreadable record is empty.
    """
    product = place.relative_to(RECORDS).with_suffix("")
    return _text(contents_of(product)[:1]).encode()


def _relative(path: str | os.PathLike[str]) -> str:
    """A path by its name, relative to the run's folder where it is inside; Snakemake's are not."""
    name = os.path.normpath(os.fspath(path))
    return name.removeprefix(os.path.join(os.getcwd(), "")) if os.path.isabs(name) else name


def _content(row: Any) -> Content:
    """A row of a record. Raises ValueError, TypeError or KeyError for anything else."""
    digest, lines = row["sha256"], row["lines"]
    if not SHA256.fullmatch(digest) or type(lines) is not int:
        raise ValueError("not a record")
    size = row.get("size")
    return Content(digest, lines, size if type(size) is int else None)


def _lines_of(path: str | os.PathLike[str]) -> int:
    """The lines of a table; 0 for other files."""
    if not os.fspath(path).endswith(".csv"):
        return 0
    with open(path, "rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def _rows(contents: list[Content]) -> dict[str, Any]:
    return {"contents": [asdict(each) for each in contents]}


def _text(contents: list[Content]) -> str:
    return json.dumps(_rows(contents), indent=1) + "\n"


def _forget(place: Path, error: OSError) -> None:
    """Remove a record that cannot be brought up to date."""
    try:
        with suppress(FileNotFoundError, NotADirectoryError):
            place.unlink()
    except OSError:
        raise UserError(unwritten(error)) from error
    log.warning("%s is not recorded: %s", place, unwritten(error))
