"""Files written whole or not at all: under a temporary name beside the path, then renamed.

Reads and writes the files that its callers name. Must not know what the files mean.
"""

import csv
import errno
import hashlib
import io
import json
import math
import os
import re
import shlex
import shutil
import socket
import time
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

from trailers12k.common.bounded_files import (
    QUOTED,
    UnreadableFile,
    opened,
    parse_json,
    quoted,
    shown_path,
)
from trailers12k.common.errors import UserError
from trailers12k.common.text import is_printable

PARTIAL = ".partial"
HOST = f"{zlib.crc32(socket.gethostname().encode()):08x}"
TEMPORARY_END = re.compile(r"\.([0-9a-f]{8})-(\d+)-[0-9a-f]{8}\.partial", re.ASCII)
TEMPORARY = re.compile(f".+{TEMPORARY_END.pattern}", re.ASCII)
"""Names of `partial_of`, with the host and process that write the file."""
MOST_BYTES = 1 << 32
"""Bytes of the largest file of our own that is read whole; clips of 12,000 movies have 60 MB."""
DELETE = "delete it and run again"
"""The end of a message on a damaged file, which its job makes again when it is missing."""
DAMAGED = (
    *(ValueError, KeyError, TypeError, AttributeError, IndexError, ArithmeticError),
    *(RecursionError, EOFError, csv.Error),
)
"""What a reader of a damaged file may raise."""
ABANDONED = 86400
"""Seconds without a write after which a temporary file of another host counts as a leftover."""


LONGEST_NAME = 255
"""Bytes of the name of a file: the limit of the file systems of Linux and macOS."""


def inside(folder: str | Path, name: str) -> Path:
    """The path of `name` directly inside `folder`: the only way from a name in data to a path that
    is written or removed.

    Raises `UserError` (a `ValueError`) for a name that is empty, `.` or `..`, has a separator, a
    control character or more than `LONGEST_NAME` bytes, and for a symbolic link that leaves the
    folder.
    """
    is_name = name not in ("", ".", "..") and is_printable(name) and not {*name} & {"/", "\\"}
    if not is_name or len(os.fsencode(name)) > LONGEST_NAME:
        raise UserError(f"{folder}: {name!r:.120} is not the name of a file in this folder")
    path = Path(folder, name)
    if path.is_symlink() and not _stays(path):
        remove = f"rm {shlex.quote(str(path))}"
        raise UserError(
            f"{path} is a symbolic link that leaves its folder; remove the link: {remove}"
        )
    return path


def below(folder: str | Path, path: str) -> Path:
    """The path of `path`, names joined by `/`, below `folder`. Raises `UserError` as `inside` does
    for each of the names."""
    found = Path(folder)
    for name in path.split("/"):
        found = inside(found, name)
    return found


def _stays(link: Path) -> bool:
    """Whether a symbolic link leads to a place in its own folder."""
    try:
        return link.resolve().parent == link.parent.resolve()
    except (OSError, RuntimeError):  # it leads to itself
        return False


def file_address(path: str) -> str:
    """The `file:` address of a path, in which no character has a meaning to YAML or a shell.

    A relative path stays relative. Raises `UserError` for a path that is not text.
    """
    try:
        return "file:" + quote(re.sub("^//+", "/", path))
    except UnicodeEncodeError:
        raise UserError(f"{path!r:.120}: the name of the file is not UTF-8; rename it") from None


def partial_of(path: str | Path) -> Path:
    """A temporary path beside `path`, unique to the process and the call."""
    path = Path(path)
    ending = f".{HOST}-{os.getpid()}-{os.urandom(4).hex()}{PARTIAL}"
    name = path.name
    if len(encoded := os.fsencode(name)) > LONGEST_NAME - len(ending):
        name = encoded[: LONGEST_NAME - len(ending)].decode("utf-8", "ignore")
    return path.with_name(name + ending)


def is_being_written(partial: Path) -> bool:
    """Whether the process that created a path of `partial_of` is still running."""
    if not (writer := TEMPORARY.fullmatch(partial.name)):
        return False
    host, pid = writer.groups()
    try:
        if host != HOST:
            return time.time() - partial.stat().st_mtime < ABANDONED
        os.kill(int(pid), 0)
    except (ProcessLookupError, FileNotFoundError, OverflowError):
        return False
    except PermissionError:  # a process of another user
        return True
    return True


@cache
def sweep(folder: Path) -> None:
    """Remove the temporary files of killed processes from a folder; once per process.

    folder: absolute, since a process may change its working directory.
    """
    for path in folder.glob(f"*{PARTIAL}"):
        if TEMPORARY.fullmatch(path.name) and not is_being_written(path):
            remove_leftover(path)


def remove_leftover(partial: Path) -> None:
    """Remove a temporary file or folder, if another process has not done so."""
    if partial.is_dir() and not partial.is_symlink():
        shutil.rmtree(partial, ignore_errors=True)
    else:
        partial.unlink(missing_ok=True)


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary path beside `path`; renamed onto it on success, removed on failure.

    Raises `UserError` for a device, which root could replace.
    """
    path = Path(path)
    is_device = path.is_block_device() or path.is_char_device()
    if is_device and (not path.is_symlink() or path.parent.resolve().is_relative_to("/dev")):
        raise UserError(f"{shown_path(path)} is a device; name a file")
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep(path.parent.absolute())
    partial = partial_of(path)
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write a UTF-8 file."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path: str | Path, value: object) -> None:
    """Write a JSON file; keys keep their order."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def write_csv(
    path: str | Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]
) -> None:
    """Write a CSV file. Missing columns of a row are left empty."""
    with replacing(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


@contextmanager
def reading(path: str | Path) -> Iterator[None]:
    """Around what reads one of our own files: what a damaged one raises becomes a `UserError`.

    A missing file still raises FileNotFoundError, which some readers expect.
    """
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno not in (errno.EISDIR, errno.ENOTDIR, errno.ELOOP):
            raise
        raise UserError(f"{shown_path(path)}: {error.strerror}; delete it and run again") from error
    except UnreadableFile:
        raise
    except UserError as error:
        raise (
            error if str(error).endswith(DELETE) else UserError(f"{error}; delete it and run again")
        ) from error
    except DAMAGED as error:
        why = f"no {quoted(error.args[0])}" if isinstance(error, KeyError) else _shown(error)
        raise UserError(f"{shown_path(path)} is damaged: {why}; delete it and run again") from error


def _shown(error: BaseException) -> str:
    """An error in one line of bounded length."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 2 * QUOTED else f"{text[: 2 * QUOTED]}…"


def read_csv(
    path: str | Path,
    columns: Iterable[str] = (),
    numbers: Collection[str] = (),
    counts: Collection[str] = (),
    key: Sequence[str] = (),
) -> list[dict[str, str]]:
    """All rows of a CSV file that `write_csv` or pandas wrote; values are texts.

    columns: those that the table must have. numbers, counts: names of columns that hold numbers,
    and numbers from 0 without a fraction, or nothing. key: columns whose cells together
    are in one row only.
    Raises `UserError` for a table that no job can have written; FileNotFoundError without a file.
    """
    with reading(path):
        return list(csv_rows(path, columns, numbers, counts, key))


def check_csv(path: str | Path, *arguments: Any, **named: Any) -> None:
    """Raise what `read_csv` raises, without keeping the rows: for tables that others read."""
    with reading(path):
        for _ in csv_rows(path, *arguments, **named):
            pass


def csv_rows(
    path: str | Path,
    columns: Iterable[str] = (),
    numbers: Collection[str] = (),
    counts: Collection[str] = (),
    key: Sequence[str] = (),
) -> Iterator[dict[str, str]]:
    """The rows of a table, one after the other, for large ones; see `read_csv`.

    Raises `UserError` or one of `DAMAGED`: use it within `reading`.
    """
    seen = set()
    with _opened(path) as raw, io.TextIOWrapper(raw, "utf-8", newline="") as file:
        rows = csv.reader(_whole_lines(file), strict=True)
        names = next(rows, [])
        if not names or len({*names}) < len(names):
            raise ValueError("a column is in it twice" if names else "it is empty")
        if missing := [name for name in columns if name not in names]:
            raise ValueError(f"it has no column {missing[0]}")
        checks = [
            *((names.index(name), _is_number, "number") for name in numbers if name in names),
            *((names.index(name), _is_count, "whole number") for name in counts if name in names),
        ]
        places = [names.index(name) for name in key]
        for cells in rows:
            if len(cells) != len(names):
                raise ValueError(f"line {rows.line_num} has {len(cells)} of {len(names)} cells")
            for place, is_sound, kind in checks:
                if cells[place] and not is_sound(cells[place]):
                    text = quoted(cells[place])
                    raise ValueError(f"line {rows.line_num}: {names[place]} is {text}, no {kind}")
            if places:
                if (mark := tuple(cells[place] for place in places)) in seen:
                    raise ValueError(f"line {rows.line_num}: {quoted(mark[0])} is in it twice")
                seen.add(mark)
            yield dict(zip(names, cells, strict=True))


def read_json(path: str | Path, kind: type = dict) -> Any:
    """The value of a JSON file that `write_json` wrote. kind: of the value, dict or list.

    Raises `UserError` for a damaged file, FileNotFoundError without a file.
    """
    with reading(path):
        value = parse_json(read_own(path), path)
        if not isinstance(value, kind):
            raise ValueError(f"it holds {type(value).__name__}, not {kind.__name__}")
        return value


def read_own(path: str | Path) -> bytes:
    """The content of one of our own files, to use within `reading`."""
    with _opened(path) as file:
        return file.read()


def _opened(path: str | Path) -> BinaryIO:
    """One of our own files. Raises FileNotFoundError; `UserError` for a folder and the like."""
    try:
        os.stat(path)
    except FileNotFoundError:
        raise
    except PermissionError as error:
        raise UnreadableFile(shown_path(path), error) from None
    except OSError as error:
        raise UserError(f"{shown_path(path)} cannot be read ({error.strerror})") from error
    return opened(path, MOST_BYTES)


def _whole_lines(file: Iterable[str]) -> Iterator[str]:
    """The lines of a table, each of which ends. Raises ValueError."""
    line = "\n"
    for line in file:
        if "\0" in line:
            raise ValueError("it has a byte 0")
        yield line
    if not line.endswith("\n"):
        raise ValueError("its last line is cut")


def _is_number(text: str) -> bool:
    """Whether a cell holds a number, or `nan`, as a score of no movies does."""
    try:
        return not math.isinf(float(text))
    except ValueError:
        return False


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 18


def sha256_of(path: str | Path) -> str:
    """The sha256 of a file, as hex digits."""
    return digest_of(path, "sha256")


def digest_of(path: str | Path, kind: str) -> str:
    """A hash of a file, as hex digits. kind: hashlib's name of it, "md5" or "sha256"."""
    # Systems that follow FIPS have md5 only for what needs no security.
    new = partial(hashlib.new, kind, usedforsecurity=False)
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, new).hexdigest()
