"""Trailers of several movies that are one and the same file, in sentences with their figures.

Reads and writes nothing. Must not know where the rows come from.

A pair of equal trailers of which one is a training movie and the other a test movie leaks the
answer. Trailers that only look alike are not found.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import comb

from trailers12k.common.vocabulary import SUBSETS
from trailers12k.evaluation.absence import listed
from trailers12k.publish.packing.tables import SPLIT_COLUMNS

Row = Mapping[str, str]


def sentences(trailers: Iterable[Row], labels: Sequence[Row]) -> list[str]:
    """What is known of equal trailers; nothing where all differ.

    trailers: rows of the ledger for whole trailers. labels: rows of mtgc.csv.
    """
    groups = _groups(trailers)
    pairs = sum(comb(len(mids), 2) for mids in groups)
    if not pairs:
        return []
    words = "pair of movies has" if pairs == 1 else "pairs of movies have"
    apart = list(_apart(groups, labels))
    where = f" The movies of a pair are in different subsets for {listed(apart)}." if apart else ""
    example = " and ".join(groups[0][:2])
    return [f"{pairs:,} {words} the same trailer, byte for byte, such as {example}.{where}"]


def _groups(trailers: Iterable[Row]) -> list[list[str]]:
    """The mids of each file that several movies have."""
    found: dict[str, list[str]] = {}
    for row in trailers:
        if sha256 := row.get("sha256"):
            found.setdefault(sha256, []).append(row["mid"])
    return [mids for mids in found.values() if len(mids) > 1]


def _apart(groups: Sequence[Sequence[str]], labels: Sequence[Row]) -> Iterator[str]:
    """For each split, how many pairs it divides. A movie in no subset belongs to no pair."""
    numbers = {str(number) for number in range(len(SUBSETS))}
    for column in SPLIT_COLUMNS:
        if labels and column in labels[0]:
            subset_of = {row["mid"]: row[column] for row in labels if row[column] in numbers}
            divided = sum(_divided([subset_of[mid] for mid in mids if mid in subset_of])
                          for mids in groups)  # fmt: skip
            yield f"{divided:,} in {column}"


def _divided(subsets: Sequence[str]) -> int:
    """The pairs whose two movies are in different subsets."""
    together = sum(comb(number, 2) for number in Counter(subsets).values())
    return comb(len(subsets), 2) - together
