"""Files written whole or not at all: under a temporary name beside the path, then renamed.

Reads and writes the files that its callers name. Must not know what the files mean.
"""

import csv
import hashlib
import json
import os
import re
import shutil
import socket
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import quote

from trailers12k.common.errors import UserError

PARTIAL = ".partial"
HOST = f"{zlib.crc32(socket.gethostname().encode()):08x}"
TEMPORARY = re.compile(r".+\.([0-9a-f]{8})-(\d+)-[0-9a-f]{8}\.partial", re.ASCII)
"""Names of `partial_of`, with the host and process that write the file."""
ABANDONED = 86400
"""Seconds without a write after which a temporary file of another host counts as a leftover."""


def inside(folder: str | Path, name: str) -> Path:
    """The path of `name` directly inside `folder`. For every name that comes from data.

    Raises `UserError` (a `ValueError`) for a name that is empty, absolute, contains a separator or
    is `..`, and for a symbolic link that leaves the folder.
    """
    path = Path(folder, name)
    if name in ("", ".", "..") or any(part in name for part in ("/", "\\", "\0")):
        raise UserError(f"{str(folder)}: {name!r} is not the name of a file in this folder")
    if path.is_symlink() and path.resolve().parent != Path(folder).resolve():
        raise UserError(f"{path} is a symbolic link that leaves its folder; remove the link")
    return path


def file_address(path: str) -> str:
    """The `file:` address of a path, in which no character has a meaning to YAML or a shell.

    A relative path stays relative. Raises `UserError` for a path that is not text.
    """
    try:
        return "file:" + quote(re.sub("^//+", "/", path))
    except UnicodeEncodeError:
        raise UserError(f"{path!r}: the name of the file is not UTF-8; rename it") from None


def partial_of(path: str | Path) -> Path:
    """A temporary path beside `path`, unique to the process and the call."""
    path = Path(path)
    return path.with_name(f"{path.name}.{HOST}-{os.getpid()}-{os.urandom(4).hex()}{PARTIAL}")


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
    """A temporary path beside `path`; renamed onto it on success, removed on failure."""
    path = Path(path)
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


def read_csv(path: str | Path) -> list[dict[str, str]]:
    """All rows of a CSV file that `write_csv` wrote; values are texts."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def sha256_of(path: str | Path) -> str:
    """The sha256 of a file, as hex digits."""
    return digest_of(path, "sha256")


def digest_of(path: str | Path, kind: str) -> str:
    """A hash of a file, as hex digits. kind: hashlib's name of it, "md5" or "sha256"."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()
