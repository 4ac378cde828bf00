"""Known biases of a dataset, in sentences with their figures.

Reads and writes nothing. Must not know files or formats.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from trailers12k.publish.facts import Subset

PAIRS = 3
"""Pairs of genres that a sentence names."""


@dataclass(frozen=True)
class Counts:
    """Counts of a dataset, as in `Facts`."""

    movies: int
    labelled: int
    trailers: int
    genres: Mapping[str, int]
    pairs: Mapping[tuple[str, str], int]
    years: Mapping[int, int]
    decisions: Mapping[str, int]


def sentences(counts: Counts, subsets: Sequence[Subset]) -> list[str]:
    """The biases that the counts show, each in a sentence."""
    return [
        *_of_genres(counts),
        *_of_pairs(counts),
        *_of_years(counts),
        *_of_trailers(counts),
        *_of_subsets(counts, subsets),
        *_of_decisions(counts),
    ]


def share(part: float, whole: float) -> str:
    """A share in %, with one decimal below 10 %."""
    percent = 100 * part / whole if whole else 0.0
    return f"{percent:.0f} %" if percent >= 9.95 else f"{percent:.1f} %"


def _movies(number: int) -> str:
    return f"{number:,} movie" if number == 1 else f"{number:,} movies"


def _listed(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


def _of_genres(counts: Counts) -> Iterator[str]:
    if not counts.labelled:
        return
    most = max(counts.genres, key=lambda genre: counts.genres[genre])
    least = min(counts.genres, key=lambda genre: counts.genres[genre])
    yield (
        f"Genres are uneven: {share(counts.genres[most], counts.labelled)} of the movies are "
        f"labelled {most}, the most frequent genre, and "
        f"{share(counts.genres[least], counts.labelled)} {least}, the least frequent."
    )
    labels = sum(counts.genres.values()) / counts.labelled
    yield f"A movie has {labels:.2f} genres on average."


def _of_pairs(counts: Counts) -> Iterator[str]:
    top = sorted(counts.pairs.items(), key=lambda each: (-each[1], each[0]))[:PAIRS]
    top = [each for each in top if each[1]]
    if top:
        named = [f"{one} with {other} ({_movies(number)})" for (one, other), number in top]
        yield f"Genres occur together: most often {_listed(named)}."
    absent = sum(not number for number in counts.pairs.values())
    if absent:
        verb = "occurs" if absent == 1 else "occur"
        yield f"Of {len(counts.pairs)} pairs of genres, {absent} {verb} in no movie."


def _of_years(counts: Counts) -> Iterator[str]:
    known = sum(counts.years.values())
    if known:
        decade = max(counts.years, key=lambda first: counts.years[first])
        yield (
            f"Years are uneven: the movies are of the {min(counts.years)}s to the "
            f"{max(counts.years)}s, and {share(counts.years[decade], known)} of the "
            f"{decade}s."
        )
    if known < counts.movies:
        yield f"The year of {_movies(counts.movies - known)} is unknown."


def _of_trailers(counts: Counts) -> Iterator[str]:
    lost = counts.movies - counts.trailers
    if lost:
        verb = "has" if lost == 1 else "have"
        yield (
            f"{_movies(lost)} of {counts.movies:,} {verb} no usable trailer. Trailers that are "
            "still online and open to all are over-represented."
        )
    unlabelled = counts.movies - counts.labelled
    if unlabelled > 0:
        verb = "is" if unlabelled == 1 else "are"
        yield f"{_movies(unlabelled)} {verb} in no split and without labels in mtgc.csv."


def _of_subsets(counts: Counts, subsets: Sequence[Subset]) -> Iterator[str]:
    """The subset whose share of a genre differs most from that of all movies."""
    off = [
        (abs(part - overall) / overall, subset, genre, part, overall)
        for subset in subsets
        for genre, part in subset.genres.items()
        if (overall := counts.genres[genre] / counts.labelled)
    ]
    if not off:
        return
    _, subset, genre, part, overall = max(off, key=lambda each: each[0])
    yield (
        f"The least even subset is the {subset.name} subset of {subset.split}: "
        f"{share(part, 1)} of its movies are labelled {genre}, and {share(overall, 1)} of all."
    )


def _of_decisions(counts: Counts) -> Iterator[str]:
    decided = sum(counts.decisions.values())
    if not decided:
        yield "No person has checked whether the trailers belong to their movies."
    elif decided < counts.movies:
        yield f"A person has decided about {_movies(decided)} of {counts.movies:,}."
