"""Duplicates among the trailers, as groups of movies that stay in one subset.

Reads flags.csv and movies.csv; writes a table `mid,group`. Must not know how duplicates are found,
nor import numpy.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from trailers12k.common.errors import UserError
from trailers12k.common.files import read_csv, write_csv

log = logging.getLogger(__name__)

DUPLICATE_FLAGS = ("duplicate", "near_duplicate")
"""Flags whose `others` are trailers with the same content."""
MOST_SHARE = 0.5
"""Of all movies, in one group. A larger one would be most of a training subset."""

Pair = tuple[str, str]


def read_pairs(flags: str | Path) -> list[Pair]:
    """The pairs of duplicates in flags.csv: two mids, the smaller one first; sorted."""
    pairs = set()
    for row in read_csv(flags, ["mid", "flag", "others"]):
        if row["flag"] in DUPLICATE_FLAGS:
            for other in filter(None, row["others"].split("|")):
                pairs.add((min(row["mid"], other), max(row["mid"], other)))
    return sorted(pair for pair in pairs if pair[0] != pair[1])


def components(pairs: Iterable[Pair]) -> dict[str, str]:
    """mid -> the smallest mid of its connected component, sorted by mid."""
    parent: dict[str, str] = {}

    def root(mid: str) -> str:
        parent.setdefault(mid, mid)
        while parent[mid] != mid:
            parent[mid] = mid = parent[parent[mid]]
        return mid

    for one, other in pairs:
        first, second = sorted((root(one), root(other)))
        parent[second] = first
    return {mid: root(mid) for mid in sorted(parent)}


def check_size(groups: Mapping[str, str], movies: int) -> None:
    """Raise `UserError` when one group holds more than `MOST_SHARE` of the movies."""
    name, size = Counter(groups.values()).most_common(1)[0] if groups else ("", 0)
    if size > MOST_SHARE * movies:
        raise UserError(
            f"splits.groups: auto: {size} of {movies} movies are duplicates of each other, such as "
            f"{name}, too many for one subset; reject duplicates on the review page, or set null"
        )


def group_duplicates(path: str | Path, flags: str | Path, movies: str | Path) -> None:
    """Write the table `mid,group` of the movies that have duplicates; without any, it has no rows.

    flags: flags.csv. movies: movies.csv; other movies are left out. Raises `UserError`.
    """
    listed = {row["mid"] for row in read_csv(movies, ["mid"])}
    groups = components(pair for pair in read_pairs(flags) if listed.issuperset(pair))
    check_size(groups, len(listed))
    log.info("movies with duplicates: %d, groups: %d", len(groups), len(set(groups.values())))
    rows = [{"mid": mid, "group": group} for mid, group in groups.items()]
    write_csv(path, ["mid", "group"], rows)
