"""What changed in people's decisions about movies between two versions.

Reads data/curation.csv of versions. Must not know what a decision changes.
"""

from collections.abc import Iterator, Mapping

from trailers12k.movies.curation import PRODUCT
from trailers12k.versions.version_files import Missing, Version
from trailers12k.versions.version_tables import (
    Rows,
    common_keys,
    differences,
    listed,
    shorten,
    table,
    tables,
)

COLUMNS = ("mid", "decision")


def decision_changes(titles: Mapping[str, str], before: Version, after: Version) -> Iterator[str]:
    """The lines on decisions: made, withdrawn and changed.

    titles: mid -> the movie's mid, title and year. Raises `Missing` for a version without a file
    of decisions.
    """
    old, new = tables(PRODUCT, before, after, COLUMNS)
    names = {mid: f"{mid} {shorten(row.get('title', ''))}" for mid, row in (old | new).items()}
    names |= titles
    made = (f"+ {names[mid]}: {describe(new[mid])}" for mid in sorted(new.keys() - old.keys()))
    gone = (f"- {names[mid]}: {describe(old[mid])}" for mid in sorted(old.keys() - new.keys()))
    yield from listed("made", made)
    yield from listed("withdrawn", gone)
    changes = {
        mid: differences(*map(_decided, (old[mid], new[mid]))) for mid in common_keys(old, new)
    }
    yield from listed(
        "changed",
        (f"~ {names[mid]}: {'; '.join(lines)}" for mid, lines in changes.items() if lines),
    )


def decisions_of(version: Version) -> Rows:
    """mid -> the row of its decision; none where the version has no file of decisions."""
    try:
        return {row["mid"]: row for row in table(PRODUCT, version, COLUMNS)}
    except Missing:
        return {}


def describe(row: Mapping[str, str]) -> str:
    """A decision in a few words, with its trailers, who made it, and the note."""
    words = {"decision": "", "wrong": "not ", "replacement": "but ", "by": "by ", "note": ""}
    return ", ".join(
        f"{before}{shorten(row[name])}" for name, before in words.items() if row.get(name)
    )


def _decided(row: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in row.items() if name not in ("mid", "title")}
