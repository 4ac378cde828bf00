"""Divides movies into subsets, balanced in genres and in pairs of genres.

Reads and writes nothing but arrays. Must not know files, movies or the configuration.

Movies are dealt at random; then the move of one movie, or the exchange of two, that lowers the
imbalance most is repeated until none lowers it. Pairs of genres are balanced like genres (second
order: Szymański and Kajdanowicz 2017).
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np

from trailers12k.common.errors import UserError
from trailers12k.common.seeds import seed_for
from trailers12k.common.vocabulary import SPLITS, SUBSETS
from trailers12k.evaluation.same_tests import same_test_sentences
from trailers12k.splits.subsets import shortages

log = logging.getLogger(__name__)

SHARES = {"training": 0.7, "validation": 0.1, "test": 0.2}
"""The subsets' shares in the paper."""

TRIES = 5
"""Random starts of which the best result is kept."""

TOLERANCE = 0.05
"""By how much a result's imbalance may exceed the lowest, relative to it, where the most balanced
result has the test movies of an earlier split. Of a few movies, few assignments are best."""

LEAST_MOVIES = 10
"""Fewer movies are not split. Shares are tenths."""

VALIDATION, TEST = SUBSETS.index("validation"), SUBSETS.index("test")

UNASSIGNED = -1
"""In a split column: a movie without a subset."""

RARE = 10
"""A genre or pair of fewer movies is weighted as one of so many: no assignment divides two movies
by shares, and their relative deviation, about 1, would outweigh all others."""

PAIR_WEIGHT = 30
"""Weight of the pairs in the imbalance: genres and pairs are then both more even than after a
stratification for either (tests/bench/splits.py), for 10 published labels and 30 random ones."""

SIZE_WEIGHT = 10
"""Weight of the sizes of the subsets in the imbalance. Subsets of the right sizes also are those in
which genres are most even."""

EXCHANGED = 32
"""Kinds of movies in each of two subsets that are compared for an exchange: those whose moves alone
lower the imbalance most."""

MOST_CHANGES = 10_000
"""Moves and exchanges of one try at most. 12,000 movies need about 150."""


class Deviations(NamedTuple):
    """How far a split column is from perfect stratification; 0 is perfect."""

    label: float
    """The largest relative deviation of a genre's share in a subset from its share overall, over
    genres of at least `RARE` movies."""
    rare: float
    """The largest deviation of the count of a rarer genre in a subset, in movies."""
    pair: float
    """The summed absolute deviation of the subsets' genre-pair counts from proportional counts,
    divided by the sum of all pair counts."""


@dataclass(frozen=True)
class Constraints:
    """What a split of some movies has to respect."""

    assigned: np.ndarray | None = None
    """Subsets to keep, `UNASSIGNED` elsewhere: (movies,) int64, or (movies, splits) for several
    splits."""
    groups: np.ndarray | None = None
    """(movies,) integers: movies with the same number get the same subset. A group of which some
    movies are assigned joins the subset of most of them."""
    usable: np.ndarray | None = None
    """(movies,) bool: false for movies that are known to have no features. Every subset gets
    `subsets.LEAST` others, where exchanges of two movies can do it."""

    def of_split(self, number: int) -> "Constraints":
        """Those of one of several splits."""
        assigned = None if self.assigned is None else self.assigned[:, number]
        return Constraints(assigned, self.groups, self.usable)


def make_splits(
    labels: np.ndarray,
    shares: Mapping[str, float],
    seed: int,
    tries: int = TRIES,
    constraints: Constraints | None = None,
    count: int = len(SPLITS),
) -> np.ndarray:
    """`count` splits as columns: (movies, count) int64.

    Each has random starts of its own. Of a few movies, splits share more test movies than by
    chance, since few assignments are balanced; a warning names those with the same test movies.
    See `make_split` for the other parameters and the errors.
    """
    columns: list[np.ndarray] = []
    for number in range(count):
        column = make_split(
            labels,
            shares,
            seed_for(seed, "split", number),
            tries,
            (constraints or Constraints()).of_split(number),
            columns,
        )
        sizes = "/".join(str((column == subset).sum()) for subset in range(len(SUBSETS)))
        log.info(
            "split%d: %s movies; deviations: label %.3f, rare labels %.1f movies, pair %.4f",
            number,
            sizes,
            *deviations(labels, column),
        )
        columns.append(column)
    splits = np.column_stack(columns)
    for sentence in same_test_sentences(splits):
        log.warning("%s", sentence)
    return splits


def make_split(
    labels: np.ndarray,
    shares: Mapping[str, float],
    seed: int,
    tries: int = TRIES,
    constraints: Constraints | None = None,
    earlier: Sequence[np.ndarray] = (),
) -> np.ndarray:
    """One split column, (movies,) int64 of 0, 1, 2: the most balanced of `tries` seeded ones.

    labels: (movies, genres) of 0 and 1. shares: one for each of `SUBSETS`.
    constraints: `assigned` is (movies,). New movies are assigned so that all movies together are
        as balanced as possible.
    earlier: columns of other splits. Where the most balanced result has the test movies of one of
        them, the result within `TOLERANCE` that shares fewest with any of them replaces it.

    Raises `UserError` when there are fewer than `LEAST_MOVIES`, or a subset stays empty.
    """
    if len(labels) < LEAST_MOVIES:
        raise UserError(f"splits: {len(labels)} movies; at least {LEAST_MOVIES} are needed")
    constraints = constraints or Constraints()
    assigned, groups = constraints.assigned, constraints.groups
    base = np.full(len(labels), UNASSIGNED) if assigned is None else assigned.astype(np.int64)
    units = np.arange(len(labels)) if groups is None else np.unique(groups, return_inverse=True)[1]
    base = _assign_to_their_group(base, units)
    open_units = np.unique(units[base == UNASSIGNED])
    if not len(open_units):
        return base
    # The last column counts movies, so that sizes are balanced like genres.
    columns = np.column_stack([with_pairs(labels), np.ones(len(labels), np.int64)])
    target = np.array([shares[name] for name in SUBSETS])
    search = _Search(columns, labels.shape[1], target, base, units, open_units)
    results = []
    for number in range(tries):
        subset_of, imbalance = search.run(np.random.default_rng(seed_for(seed, "try", number)))
        column = np.where(base == UNASSIGNED, subset_of[units], base)
        if len(np.unique(column)) == len(SUBSETS):
            results.append((imbalance, column))
    if not results:
        number = len(np.unique(units))
        raise UserError(
            f"splits: {len(labels)} movies in {number} {'group' if number == 1 else 'groups'} "
            "leave a subset empty; "
            "put fewer movies into one group"
        )
    if constraints.usable is not None:
        results = _with_usable(results, search, constraints.usable)
    return _choose(results, earlier)


def _with_usable(
    results: Sequence[tuple[float, np.ndarray]], search: "_Search", usable: np.ndarray
) -> list[tuple[float, np.ndarray]]:
    """The results whose subsets have enough usable movies; else all, with movies exchanged."""
    enough = [result for result in results if not shortages(result[1], usable).any()]
    return enough or [search.exchanged(column, usable) for _, column in results]


def _choose(
    results: Sequence[tuple[float, np.ndarray]], earlier: Sequence[np.ndarray]
) -> np.ndarray:
    """The column to use of (imbalance, column): see `earlier` of `make_split`."""
    lowest, best = min(results, key=lambda result: result[0])
    if not any(np.array_equal(best == TEST, other == TEST) for other in earlier):
        return best

    def shared(result: tuple[float, np.ndarray]) -> tuple[int, int, float]:
        test, validation = (
            max(int(((result[1] == subset) & (other == subset)).sum()) for other in earlier)
            for subset in (TEST, VALIDATION)
        )
        return test, validation, result[0]

    # The addend is for rounding errors of an imbalance of 0.
    near = [result for result in results if result[0] <= (1 + TOLERANCE) * lowest + 1e-9]
    return min(near, key=shared)[1]


class _Search:
    """Assigns units (single movies, or groups) to subsets so that the imbalance is lowest.

    The imbalance is the sum over subsets, and over genres, pairs and sizes, of the squared relative
    deviation of a count from its target. Pairs are weighted by `PAIR_WEIGHT` and their shares of
    all pair counts, sizes by `SIZE_WEIGHT`. Units with the same counts are one kind, within which
    chance decides.

    columns: (movies, columns): labels, pairs, ones. base, units: (movies,). open_units: those to
    assign.
    """

    def __init__(
        self,
        columns: np.ndarray,
        genres: int,
        target: np.ndarray,
        base: np.ndarray,
        units: np.ndarray,
        open_units: np.ndarray,
    ):
        total = columns.sum(0)
        self.columns, self.target = columns, target
        self.single = (base == UNASSIGNED) & (np.bincount(units)[units] == 1)
        self.weights = 1 / (target[:, None] * np.maximum(total, RARE)) ** 2
        pairs = slice(genres, -1)
        share = np.maximum(total, RARE) * target[:, None] / max(1, total[pairs].sum())
        self.weights[:, pairs] *= PAIR_WEIGHT * share[:, pairs]
        self.weights[:, -1] *= SIZE_WEIGHT
        of_units = np.zeros((units.max() + 1, columns.shape[1]), np.int64)
        np.add.at(of_units, units, columns)
        self.open_units, self.units = open_units, len(of_units)
        rows, self.kind_of = np.unique(of_units[open_units], axis=0, return_inverse=True)
        self.rows = rows.astype(float)
        self.squares = self._weighted(self.rows**2, self.weights)
        inside = base == np.arange(len(SUBSETS))[:, None]
        self.base = inside @ columns - target[:, None] * total

    def run(self, random: np.random.Generator) -> tuple[np.ndarray, float]:
        """A subset for each unit, (units,) int64, and the imbalance.

        Only the values of open units have a meaning.
        """
        counts = self._deal(random)
        deviation = self.base + counts.T @ self.rows
        for _ in range(MOST_CHANGES):
            changes = self._best_change(counts, deviation)
            if not changes:
                break
            for kind, old, new in changes:
                counts[kind, old] -= 1
                counts[kind, new] += 1
                deviation[old] -= self.rows[kind]
                deviation[new] += self.rows[kind]
        order = random.permutation(len(self.open_units))
        order = order[np.argsort(self.kind_of[order], kind="stable")]
        subset_of = np.full(self.units, UNASSIGNED)
        subset_of[self.open_units[order]] = np.repeat(
            np.tile(np.arange(len(SUBSETS)), len(counts)), counts.ravel()
        )
        return subset_of, float((self.weights * deviation**2).sum())

    def exchanged(self, column: np.ndarray, usable: np.ndarray) -> tuple[float, np.ndarray]:
        """The imbalance and the column after exchanges that give the subsets usable movies.

        Two open movies without a group change places, those that cost the least balance, until no
        subset lacks any, or none helps.
        """
        places = np.flatnonzero(self.single)
        while True:
            lack = shortages(column, usable).sum()
            changes = []
            for one, other in combinations(places.tolist(), 2) if lack else ():
                changed = column.copy()
                changed[[one, other]] = column[[other, one]]
                if shortages(changed, usable).sum() < lack:
                    changes.append((self._imbalance(changed), one, other, changed))
            if not changes:
                return self._imbalance(column), column
            column = min(changes, key=lambda change: change[:3])[-1]

    def _imbalance(self, column: np.ndarray) -> float:
        """Of a column in which every movie has a subset."""
        inside = column == np.arange(len(SUBSETS))[:, None]
        deviation = inside @ self.columns - self.target[:, None] * self.columns.sum(0)
        return float((self.weights * deviation**2).sum())

    def _deal(self, random: np.random.Generator) -> np.ndarray:
        """Random counts (kinds, subsets): units in random order fill what the subsets lack."""
        order = random.permutation(len(self.open_units))
        movies = self.rows[self.kind_of[order], -1]
        lacking = np.maximum(0, -self.base[:, -1])
        middle = (np.cumsum(movies) - movies / 2) / movies.sum()
        subsets = np.searchsorted(np.cumsum(lacking)[:-1] / lacking.sum(), middle)
        counts = np.zeros((len(self.rows), len(SUBSETS)), np.int64)
        np.add.at(counts, (self.kind_of[order], subsets), 1)
        return counts

    def _best_change(self, counts: np.ndarray, deviation: np.ndarray) -> list[tuple[int, int, int]]:
        """The moves (kind, old subset, new subset) that lower the imbalance most: one, or two in
        opposite directions; none if nothing lowers it."""
        linear = 2 * self._weighted(self.rows, self.weights * deviation)
        leaving = np.where(counts > 0, self.squares - linear, np.inf)
        entering = self.squares + linear
        best, changes = -1e-12, []
        for a, b in combinations(range(len(SUBSETS)), 2):
            there, back = leaving[:, a] + entering[:, b], leaving[:, b] + entering[:, a]
            first, second = (np.argsort(d, kind="stable")[:EXCHANGED] for d in (there, back))
            shared = self._weighted(
                self.rows[first], self.rows[second] * (self.weights[a] + self.weights[b])
            )
            both = there[first][:, None] + back[second] - 2 * shared
            i, j = np.unravel_index(both.argmin(), both.shape)
            options = [
                (there[first[0]], [(first[0], a, b)]),
                (back[second[0]], [(second[0], b, a)]),
                (both[i, j], [(first[i], a, b), (second[j], b, a)]),
            ]
            for lowered, moves in options:
                if lowered < best:
                    best, changes = lowered, moves
        return changes

    @staticmethod
    def _weighted(rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """rows (a, columns) times weights (b, columns): (a, b)."""
        # Not `@`, whose last bits, and so the choice among equals, depend on the number of threads.
        products: np.ndarray = np.einsum("ac,bc->ab", rows, weights)
        return products


def with_pairs(labels: np.ndarray) -> np.ndarray:
    """The labels (movies, genres) and, as further columns, the pairs of genres that occur."""
    pairs = [labels[:, i] & labels[:, j] for i, j in combinations(range(labels.shape[1]), 2)]
    pairs = [pair for pair in pairs if pair.any()]
    return np.column_stack([labels, *pairs])


def deviations(labels: np.ndarray, subset: np.ndarray) -> Deviations:
    """How far a split column, (movies,), is from perfect stratification of labels (movies, genres).

    Movies that are `UNASSIGNED` do not count. All numbers are infinite when a subset is empty.
    """
    columns = with_pairs(labels)
    inside = subset == np.arange(len(SUBSETS))[:, None]
    sizes, counts = inside.sum(1), inside @ columns
    if not sizes.all():
        return Deviations(np.inf, np.inf, np.inf)
    total = counts.sum(0)
    expected = sizes[:, None] / sizes.sum() * total
    off, genres = np.abs(counts - expected), np.arange(columns.shape[1]) < labels.shape[1]
    common, rare = genres & (total >= RARE), genres & (total < RARE)
    return Deviations(
        label=float((off[:, common] / expected[:, common]).max(initial=0)),
        rare=float(off[:, rare].max(initial=0)),
        pair=float(off[:, ~genres].sum() / max(1, total[~genres].sum())),
    )


def _assign_to_their_group(base: np.ndarray, units: np.ndarray) -> np.ndarray:
    """A copy in which unassigned movies of a partly assigned group have the group's subset."""
    filled = base.copy()
    for unit in np.unique(units[base != UNASSIGNED]):
        members = units == unit
        assigned = base[members & (base != UNASSIGNED)]
        filled[members & (base == UNASSIGNED)] = np.bincount(assigned).argmax()
    return filled
