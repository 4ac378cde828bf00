"""What the sections of a comparison share: tables of two versions, differences, short lists.

Reads files of versions. Must not know what the files mean.
"""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from io import StringIO
from typing import Any, TypeVar

from trailers12k.common.text import one_line
from trailers12k.versions.version_files import Missing, Version

LONGEST_LIST = 20
"""Lines of a list; further ones are counted."""
LONGEST = 60
"""Characters of a title or a value."""

Rows = dict[str, dict[str, str]]
"""The rows of a table, as text, by their first column."""
Content = TypeVar("Content")


def read(path: str, version: Version) -> bytes:
    """The content of a file of a version. Raises `Missing`."""
    return version.read(path)


def table(path: str, version: Version, columns: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a table, as text. Raises `Missing` for a table that lacks one of the columns."""
    rows = csv.DictReader(
        StringIO(version.read(path).decode("utf-8", "replace"), newline=""), restval=""
    )
    try:
        lacking = [name for name in columns if name not in (rows.fieldnames or ())]
        if lacking:
            raise Missing(f"{path} of {version.name} has no column {lacking[0]}")
        return list(rows)
    except csv.Error as error:
        raise Missing(f"{path} of {version.name} cannot be read ({error})") from error


def in_both(
    path: str, before: Version, after: Version, read: Callable[[str, Version], Content]
) -> list[Content]:
    """A file of both versions, as `read` returns it. Raises `Missing`, which names who lacks it."""
    contents, faults = [], []
    for version in (before, after):
        try:
            contents.append(read(path, version))
        except Missing as error:
            faults.append(str(error))
    if faults:
        raise Missing("; ".join(faults))
    return contents


def tables(
    path: str, before: Version, after: Version, columns: Sequence[str], stage: str = ""
) -> list[Rows]:
    """A table of both versions; of the ledger, one stage."""
    both = in_both(path, before, after, lambda path, version: table(path, version, columns))
    return [
        {row[columns[0]]: row for row in rows if not stage or row["stage"] == stage}
        for rows in both
    ]


def common_keys(old: Rows, new: Rows) -> list[str]:
    """The first columns that both tables have, sorted."""
    return sorted(old.keys() & new.keys())


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """`key.key: before -> after` of each value that differs."""
    flat = [dict(_flat(mapping)) for mapping in (old, new)]
    lines = []
    for key in dict.fromkeys([*flat[1], *flat[0]]):
        one, other = (values.get(key, "not set") for values in flat)
        if one != other:
            cut = shorten(one), shorten(other)
            # Long values may differ only in what is cut off.
            one, other = cut if cut[0] != cut[1] else (one, other)
            lines.append(f"{key}: {one} -> {other}")
    return lines


def _flat(mapping: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Pairs of `key.key` and its value as text."""
    for key, value in mapping.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{above}{key}.")
        else:
            text = value if isinstance(value, str) else json.dumps(value, default=str)
            yield f"{above}{key}", text


def shorten(text: str) -> str:
    """A text of others in one line of at most `LONGEST` characters."""
    line = one_line(text)
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 3]}..."


def first_lines(lines: Iterable[str]) -> list[str]:
    """The first `LONGEST_LIST` lines, and the number of further ones."""
    lines = list(lines)
    more = len(lines) - LONGEST_LIST
    return lines if more <= 0 else [*lines[:LONGEST_LIST], f"... and {more:,} more"]


def listed(what: str, lines: Iterable[str]) -> list[str]:
    """A list below a line with its length; nothing when it is empty."""
    lines = list(lines)
    if not lines:
        return []
    return [f"{len(lines):,} {what}", *(f"  {line}" for line in first_lines(lines))]
