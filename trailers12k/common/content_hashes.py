"""Hashes of the content of files and folders; an unchanged large one is read once.

Reads the files that its callers name; keeps the hashes in build/cache/hashes/. Must not know what
the files are for. Standard library only: every job waits for it.
"""

import hashlib
import json
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from trailers12k.common.bounded_files import read_small
from trailers12k.common.files import write_json

BUILD = Path("build")
"""May be a symbolic link to another disk; no folder below it may."""
CACHE = BUILD / "cache"
RECORDS = CACHE / "hashes"

SMALL = 1 << 18
"""Bytes below which a file or folder is read each time, and has no record."""

FileState = list[Any]
"""Size in bytes, modification time in ns, inode and sha256 of a file when it was last read."""


def content_of(path: str | os.PathLike[str], remembers: bool = True) -> str | None:
    """The sha256 of a file, or of the names and contents of all files of a folder, as hex digits.

    None when neither is at `path`. A file of the same size, time and inode as at the last
    call is not read again. Raises OSError for what cannot be read.
    remembers: without it, no file is written.
    """
    path = os.fspath(path)
    is_folder = os.path.isdir(path)
    try:
        files = list(_files_of(path)) if is_folder else [("", os.stat(path))]
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not is_folder and not stat.S_ISREG(files[0][1].st_mode):
        return None
    is_small = sum(state.st_size for _, state in files) < SMALL
    record = {} if is_small else _read_record(path)
    known, states = record.get("files", {}), {}
    for name, state in files:
        seen = [state.st_size, state.st_mtime_ns, state.st_ino]
        if _is_known(known.get(name), seen):
            states[name] = known[name]
        else:
            states[name] = [*seen, _sha256(os.path.join(path, name) if name else path)]
    if remembers and not is_small and states != known:
        _write_record(path, states)
    if not is_folder:
        digest: str = states[""][3]
        return digest
    listed = sorted((name, state[3]) for name, state in states.items())
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()


def record_of(path: str) -> Path:
    """The record of the hashes of a file or folder."""
    return RECORDS / f"{hashlib.sha256(os.fsencode(path)).hexdigest()[:32]}.json"


def has_links(path: Path) -> bool:
    """Whether a path below build/ leads over symbolic links, build/ itself left aside."""
    return any(each.is_symlink() for each in (path, *path.parents) if BUILD in each.parents)


def _files_of(folder: str, below: str = "") -> Iterator[tuple[str, os.stat_result]]:
    """The files below a folder: name with `/`, and state. Links to folders are not followed."""
    with os.scandir(folder) as entries:
        for entry in entries:
            name = f"{below}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                yield from _files_of(entry.path, f"{name}/")
            elif entry.is_file():
                yield name, os.stat(entry.path)


def _is_known(state: object, seen: list[int]) -> bool:
    return isinstance(state, list) and len(state) == 4 and state[:3] == seen


def _sha256(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_record(path: str) -> dict[str, Any]:
    """The record of a path; empty when there is none that can be used."""
    try:
        record = json.loads(read_small(record_of(path)))
    except (OSError, ValueError, RecursionError):
        return {}
    usable = isinstance(record, dict) and record.get("path") == path
    return record if usable and isinstance(record.get("files"), dict) else {}


def _write_record(path: str, states: dict[str, FileState]) -> None:
    record = record_of(path)
    # Without a record the next job reads the file again.
    with suppress(OSError, UnicodeEncodeError):
        if not has_links(record):
            write_json(record, {"path": path, "files": states})
