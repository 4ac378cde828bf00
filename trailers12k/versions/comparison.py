"""What changed between two versions of a collection, as a page of text.

Reads products of two versions; writes nothing. Must not know how any product is
made, nor where versions are kept.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from trailers12k.common import vocabulary
from trailers12k.common.text import NOT_PRINTABLE, one_line
from trailers12k.common.vocabulary import GENRES, OK
from trailers12k.movies.curation import Decision
from trailers12k.settings.files import read_file
from trailers12k.versions.code_state import code_state
from trailers12k.versions.decision_comparison import decision_changes, decisions_of, describe
from trailers12k.versions.result_comparison import result_changes
from trailers12k.versions.store_comparison import store_changes
from trailers12k.versions.version_files import Folder, Missing, Revision, Version
from trailers12k.versions.version_tables import (
    common_keys,
    differences,
    first_lines,
    in_both,
    listed,
    read,
    shorten,
    table,
    tables,
)

SUBSETS = {str(value): name for value, name in enumerate(vocabulary.SUBSETS)}
"""Value of a split column -> subset."""
SPLITS = tuple(f"split{name}" for name in vocabulary.SPLITS)
MOVIES = ("mid", "title", "year")


def compare(earlier: str, later: str = "") -> str:
    """How two revisions differ, as a page of text. Raises `UserError` for an unknown revision.

    later: by default the files in this folder.
    """
    return describe_changes(Revision(earlier), Revision(later) if later else _here())


def _here() -> Folder:
    return Folder(code=str(code_state()))


def describe_changes(before: Version, after: Version) -> str:
    """How two versions differ, from their movies to their results, as a page of text.

    A file that one of them lacks is reported in its section. Characters that a terminal could take
    for a command are left out.
    """
    lines = [f"What changed from {before.name} to {after.name}"]
    lines += [f"  {version.name}: {version.description}" for version in (before, after)]
    titles = _titles(before, after)
    for head, section in {
        "Movies": _movies(titles, before, after),
        "Decisions": decision_changes(titles, before, after),
        "Trailers": _trailers(titles, before, after),
        "Labels and splits": _labels(titles, before, after),
        "Stores": store_changes(before, after),
        "Settings": _settings(before, after),
        "Code": _code(before, after),
        "Results": result_changes(before, after),
    }.items():
        body: list[str] = []
        try:
            body.extend(section)
        except (Missing, ValueError) as error:
            body.append(f"not compared: {one_line(str(error))}")
        lines += ["", head, *(f"  {line}" for line in body or ["no change"])]
    return "\n".join(NOT_PRINTABLE.sub("", line).rstrip() for line in lines)


def _titles(before: Version, after: Version) -> dict[str, str]:
    """mid -> mid, title and year, of the movies of both versions; the later title wins."""
    titles: dict[str, str] = {}
    for version in (before, after):
        try:
            rows = table("data/movies.csv", version, MOVIES)
        except Missing:
            continue
        titles |= {row["mid"]: _title(row) for row in rows}
    return titles


def _title(row: Mapping[str, str]) -> str:
    year = f" ({row['year']})" if row["year"] else ""
    return f"{row['mid']} {shorten(row['title'])}{year}"


def _movies(titles: Mapping[str, str], before: Version, after: Version) -> Iterator[str]:
    old, new = tables("data/movies.csv", before, after, MOVIES)
    renamed = [mid for mid in common_keys(old, new) if _title(old[mid]) != _title(new[mid])]
    if old.keys() != new.keys():
        yield f"{len(old):,} -> {len(new):,} movies"
    was, now = _rejected(before), _rejected(after)
    added = (
        f"+ {titles[mid]}" + (f", which was rejected: {was[mid]}" if mid in was else "")
        for mid in sorted(new.keys() - old.keys())
    )
    removed = (
        f"- {titles[mid]}" + (f": {now[mid]}" if mid in now else "")
        for mid in sorted(old.keys() - new.keys())
    )
    yield from listed("added", added)
    yield from listed("removed", removed)
    renames = (f"~ {_title(old[mid])} -> {titles[mid].removeprefix(mid)[1:]}" for mid in renamed)
    yield from listed("with another title or year", renames)


def _rejected(version: Version) -> dict[str, str]:
    """mid -> the decision, in words, of each movie that a person rejected."""
    decisions = decisions_of(version).items()
    return {mid: describe(row) for mid, row in decisions if Decision(mid, row["decision"]).rejects}


def _trailers(titles: Mapping[str, str], before: Version, after: Version) -> Iterator[str]:
    """Changes of movies that both versions have; of added movies only the number is shown."""
    columns = ("mid", "stage", "status", "reason", "sha256")
    old, new = tables("data/ledger.csv", before, after, columns, stage="trailers")
    had, have = ({m for m, row in rows.items() if row["status"] == OK} for rows in (old, new))
    replaced = [mid for mid in sorted(had & have) if old[mid]["sha256"] != new[mid]["sha256"]]
    gained, lost = sorted((have - had) & old.keys()), sorted((had - have) & new.keys())
    if had != have:
        yield f"{len(had):,} -> {len(have):,} movies with a trailer"
    yield from listed("replaced", (f"~ {titles.get(mid, mid)}" for mid in replaced))
    yield from listed(
        "gained", (f"+ {titles.get(mid, mid)}, which was {_why(old[mid])}" for mid in gained)
    )
    yield from listed("lost", (f"- {titles.get(mid, mid)}: {_why(new[mid])}" for mid in lost))


def _why(row: Mapping[str, str]) -> str:
    return f"{row['status']} ({row['reason']})" if row["reason"] else row["status"]


def _labels(titles: Mapping[str, str], before: Version, after: Version) -> Iterator[str]:
    old, new = tables("data/mtgc.csv", before, after, ("mid", *GENRES, *SPLITS))
    both = common_keys(old, new)
    relabelled = {}
    for mid in both:
        other = [name for name in GENRES if old[mid][name] != new[mid][name]]
        if other:
            signs = (f"{'+' if new[mid][name] == '1' else '-'}{name}" for name in other)
            relabelled[mid] = " ".join(signs)
    yield from listed(
        "relabelled", (f"~ {titles.get(mid, mid)}: {signs}" for mid, signs in relabelled.items())
    )
    for split in SPLITS:
        moves = Counter(
            " -> ".join(SUBSETS.get(rows[mid][split], "none") for rows in (old, new))
            for mid in both
            if old[mid][split] != new[mid][split]
        )
        if moves:
            counts = ", ".join(f"{move} {number:,}" for move, number in sorted(moves.items()))
            yield f"{split}: {moves.total():,} of {len(both):,} in another subset: {counts}"


def _settings(before: Version, after: Version) -> Iterator[str]:
    path = "results/config.yaml"
    both = in_both(path, before, after, read)
    old, new = (_mapping(path, data) for data in both)
    yield from first_lines(differences(old, new))


def _code(before: Version, after: Version) -> Iterator[str]:
    if lacking := [version.name for version in (before, after) if not version.code]:
        raise Missing(f"it is not recorded in {' and '.join(lacking)}")
    if before.code != after.code:
        yield f"{one_line(before.code)} -> {one_line(after.code)}"


def _mapping(path: str, data: bytes) -> dict[str, Any]:
    return read_file(path, lambda _: data.decode())
