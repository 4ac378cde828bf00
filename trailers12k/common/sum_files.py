"""Files of sums as `md5sum` and `sha256sum` write them, read without trust.

Parses text. Must not know which files the sums are of.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from trailers12k.common.bounded_files import quoted, shown_path
from trailers12k.common.errors import UserError
from trailers12k.common.text import is_printable

MD5SUMS, SHA256SUMS = "MD5SUMS", "SHA256SUMS"
MOST_BYTES = 10_000_000
"""Of a file of sums; a publication has a few hundred files."""
DIGITS = {MD5SUMS: 32, SHA256SUMS: 64}
"""Hexadecimal digits of a sum, by the name of the file."""
MOST_NAME = 1000
LINE = re.compile(r"([0-9a-f]{32,128}) [ *](.+)", re.ASCII)


def parse(lines: Iterable[str], where: str | Path, digits: int) -> dict[str, str]:
    """The sums of a file: path -> sum. Raises `UserError`.

    Paths are plain ones below the folder of the file: without `..`, a beginning `/`, a backslash,
    or characters that are not printable. digits: of each sum.
    """
    sums: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        match = LINE.fullmatch(line.rstrip("\r\n"))
        if not match or len(match[1]) != digits:
            raise UserError(f"{shown_path(where)}, line {number}: not a sum and a path")
        path = match[2]
        if not is_plain(path):
            raise UserError(
                f"{shown_path(where)}, line {number}: {quoted(path)} is not the path of a file "
                "below its folder"
            )
        if path in sums:
            raise UserError(f"{shown_path(where)}, line {number}: {quoted(path)} is there twice")
        sums[path] = match[1]
    return sums


def is_plain(path: str) -> bool:
    """Whether a path, names joined by `/`, stays below its folder on every system."""
    names = path.split("/")
    return (
        len(path) <= MOST_NAME
        and is_printable(path)
        and not {*path} & {"\\", ":"}
        and not any(name in ("", ".", "..") for name in names)
    )
