"""Reads the archive of a state, one file after the other, within bounds.

Reads the archive; writes nothing. Must not know what a state holds. Not by `tarfile`, which keeps
headers and tables of holes of any size in memory.
"""

import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from trailers12k.common.bounded_files import BLOCK, DamagedFile, opened, quoted, unpacked
from trailers12k.common.errors import UserError

MOST_BYTES = 1 << 31
"""Bytes that an archive unpacks to. Twelve thousand movies have about 0.4 GB of tables and records.
"""
MOST_FILES = 500_000
"""Twelve thousand movies have about 160,000."""
LONGEST = 1 << 10
"""Bytes of the path of a file."""
RECORD = 512
"""Bytes of a block of the format."""
PATH = re.compile(rb"\d+ path=([^\n]+)\n")
"""The one extension of a header that `run_state` writes: of a path over 100 bytes."""


def files(path: Path) -> Iterator[tuple[str, Iterator[bytes]]]:
    """The name and the blocks of each file of an archive; the blocks before the next is requested.

    Raises `DamagedFile` for an archive that is cut or changed, and `UserError` for one that
    no state can be: too large, or with members that are no plain files.
    """
    left = MOST_BYTES
    with opened(path, MOST_BYTES) as packed, unpacked(packed, MOST_BYTES, path) as file:
        for count in range(MOST_FILES + 1):
            header = _header(file, path)
            if header is None:
                while file.read(BLOCK):  # its end is checked too
                    pass
                return
            name, size = header
            if count == MOST_FILES:
                raise UserError(
                    f"{path} has more than {MOST_FILES:,} files; do not trust this file"
                )
            left -= size
            if left < 0:
                raise UserError(f"{path}: {quoted(name)} is too large; do not trust this file")
            blocks = _blocks(file, size, path)
            yield name, blocks
            for _ in blocks:
                pass


def _header(file: BinaryIO, path: Path) -> tuple[str, int] | None:
    """The name and size of the next file; None at the end of the archive."""
    if (info := _info(file, path)) is None:
        return None
    name = info.name
    if info.type == tarfile.XHDTYPE and 0 < info.size <= LONGEST:
        extension = b"".join(_blocks(file, info.size, path))
        found, info = PATH.fullmatch(extension), _info(file, path)
        if found is None or info is None:
            raise UserError(
                f"{path}: {quoted(name)} is no header of a state; do not trust this file"
            )
        name = found[1].decode("utf-8", "surrogateescape")
    if info.type != tarfile.REGTYPE or info.size < 0:
        raise UserError(f"{path}: {quoted(name)} is no plain file; do not trust this file")
    return name, info.size


def _info(file: BinaryIO, path: Path) -> tarfile.TarInfo | None:
    block = _exactly(file, RECORD, path)
    if not any(block):
        return None
    try:
        return tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.TarError, ValueError, OverflowError) as error:
        raise DamagedFile(str(path), str(error)) from None


def _blocks(file: BinaryIO, size: int, path: Path) -> Iterator[bytes]:
    """The content of a file of this size; reads what fills its last block too."""
    for start in range(0, size, BLOCK):
        yield _exactly(file, min(BLOCK, size - start), path)
    _exactly(file, -size % RECORD, path)


def _exactly(file: BinaryIO, size: int, path: Path) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise DamagedFile(str(path), "the archive has no end")
    return data
