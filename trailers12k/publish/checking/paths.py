"""Paths of somebody's machine in the files of a publication that is judged.

Reads texts, packed tables, Parquet and metadata; writes nothing. Must not know what the files mean.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from trailers12k.common.bounded_files import quoted
from trailers12k.publish.local_paths import LOCAL

NO_TEXT = (".gz", ".parquet", ".jpg")
"""Ends of names of files that hold no plain text."""
MOST_LINE = 1 << 20
"""Characters that are searched at a time."""


def fault(text: str) -> str:
    """What is wrong with a text; empty if it names no local path."""
    match = LOCAL.search(text)
    return f"it names a local path, {quoted(match[0])}" if match else ""


def fault_of_row(row: Mapping[str, Any]) -> str:
    """What is wrong with the first cell of a row that names a local path; else empty."""
    for column, cell in row.items():
        cells: Iterable[Any] = cell if isinstance(cell, list) else [cell]
        for each in cells:
            if isinstance(each, str) and (what := fault(each)):
                return f"column {quoted(column)}: {what}"
    return ""


def fault_of_file(path: Path) -> str:
    """The same, of a file of any size; bytes that are no text are ignored."""
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        return next(filter(None, map(fault, _lines(file))), "")


def _lines(file: Any) -> Iterator[str]:
    while line := file.readline(MOST_LINE):
        yield line
