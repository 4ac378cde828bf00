"""Known biases of a dataset, in sentences with their figures.

Reads and writes nothing. Must not know files or formats.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isclose
from typing import Any

from trailers12k.evaluation.absence import listed
from trailers12k.publish.facts import Subset

PAIRS = 3
"""Pairs of genres that a sentence names."""
TIED = 3
"""Names in a sentence about a tie."""
EVEN = 1e-9
"""Deviation of a share below which it is that of all movies."""
ONLINE = " Trailers that are still online and open to all are over-represented."


@dataclass(frozen=True)
class Counts:
    """Counts of a dataset, as in `Facts`. is_online: whether trailers come from the web."""

    movies: int
    labelled: int
    trailers: int
    genres: Mapping[str, int]
    pairs: Mapping[tuple[str, str], int]
    years: Mapping[int, int]
    decided: int
    is_online: bool


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


def _few(names: Sequence[str]) -> str:
    """All names that tie, or the first of them and how many more."""
    if len(names) <= TIED:
        return listed(names)
    return listed([*names[: TIED - 1], f"{len(names) - TIED + 1} more"])


def _with(counts: Mapping[Any, int], number: int) -> list[Any]:
    """What has this count."""
    return [name for name, own in counts.items() if own == number]


def _of_genres(counts: Counts) -> Iterator[str]:
    if not counts.labelled:
        return
    high, low = max(counts.genres.values()), min(counts.genres.values())
    if high == low:
        yield f"Each genre has {share(high, counts.labelled)} of the movies."
    else:
        most, least = _with(counts.genres, high), _with(counts.genres, low)
        yield (
            f"Genres are uneven: the most frequent {_is(most)} {_few(most)} "
            f"({_of_each(high, counts.labelled, most)}), the least frequent {_is(least)} "
            f"{_few(least)} ({_of_each(low, counts.labelled, least)})."
        )
    labels = sum(counts.genres.values()) / counts.labelled
    yield f"A movie has {labels:.2f} genres on average."


def _is(names: Sequence[Any]) -> str:
    return "is" if len(names) == 1 else "are"


def _of_each(part: int, whole: int, names: Sequence[Any]) -> str:
    return f"{share(part, whole)} of the movies{' each' if len(names) > 1 else ''}"


def _of_pairs(counts: Counts) -> Iterator[str]:
    top = sorted(filter(None, counts.pairs.values()), reverse=True)[:PAIRS]
    named: list[str] = []
    for number in sorted({*top}, reverse=True):
        tied = _with(counts.pairs, number)
        if len(named) + len(tied) <= PAIRS:
            named += [f"{one} with {other} ({_movies(number)})" for one, other in tied]
        else:
            named.append(f"{len(tied)} pairs in {_movies(number)} each")
    if named:
        yield f"Genres occur together: most often {listed(named)}."
    absent = sum(not number for number in counts.pairs.values())
    if absent:
        verb = "occurs" if absent == 1 else "occur"
        yield f"Of {len(counts.pairs)} pairs of genres, {absent} {verb} in no movie."


def _of_years(counts: Counts) -> Iterator[str]:
    known = sum(counts.years.values())
    if len(counts.years) == 1:
        yield f"All movies whose year is known date from the {min(counts.years)}s."
    elif known:
        high = max(counts.years.values())
        decades = [f"{first}s" for first in _with(counts.years, high)]
        each = " each" if len(decades) > 1 else ""
        yield (
            f"Years are uneven: movies date from the {min(counts.years)}s to the "
            f"{max(counts.years)}s, {share(high, known)} of them{each} from the {_few(decades)}."
        )
    if known < counts.movies:
        yield f"The year of {_movies(counts.movies - known)} is unknown."


def _of_trailers(counts: Counts) -> Iterator[str]:
    lost = counts.movies - counts.trailers
    if lost:
        verb = "has" if lost == 1 else "have"
        yield (
            f"{_movies(lost)} of {counts.movies:,} {verb} no usable trailer."
            + (ONLINE if counts.is_online else "")
        )
    unlabelled = counts.movies - counts.labelled
    if unlabelled > 0:
        verb = "is" if unlabelled == 1 else "are"
        yield f"{_movies(unlabelled)} {verb} in no split and without labels in mtgc.csv."


def _of_subsets(counts: Counts, subsets: Sequence[Subset]) -> Iterator[str]:
    """The subsets whose share of a genre differs most from that of all movies."""
    off = [
        (abs(part - overall) / overall, subset, genre, part, overall)
        for subset in subsets
        for genre, part in subset.genres.items()
        if (overall := counts.genres[genre] / counts.labelled)
    ]
    if not off:
        return
    most = max(each[0] for each in off)
    if most < EVEN:
        yield "All subsets have the genres in the same shares."
        return
    worst = [each for each in off if isclose(each[0], most, rel_tol=1e-9)]
    if len(worst) == 1:
        _, subset, genre, part, overall = worst[0]
        yield (
            f"The least even subset is the {subset.name} subset of {subset.split}: "
            f"{share(part, 1)} of its movies are labelled {genre}, and {share(overall, 1)} of all."
        )
    else:
        named = [
            f"{genre} among the {own.name} movies of {own.split}" for _, own, genre, *_ in worst
        ]
        yield (
            f"Shares of genres in subsets differ from those in all movies by up to "
            f"{100 * most:.0f} %: {_few(named)}."
        )


def _of_decisions(counts: Counts) -> Iterator[str]:
    if not counts.decided:
        yield "No person has checked whether the trailers belong to their movies."
    elif counts.decided < counts.movies:
        yield f"A person has decided about {_movies(counts.decided)} of {counts.movies:,}."
