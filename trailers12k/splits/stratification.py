"""Divides movies into subsets, balanced in genres and in pairs of genres.

Reads and writes nothing but arrays. Must not know files, movies or the configuration.

The engine is iterative stratification (Sechidis et al. 2011) with the pairs of genres as further
labels (second order: Szymański and Kajdanowicz 2017).
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
from iterstrat.ml_stratifiers import MultilabelStratifiedKFold

from trailers12k.common.errors import UserError
from trailers12k.common.seeds import seed_for
from trailers12k.common.vocabulary import SPLITS, SUBSETS

log = logging.getLogger(__name__)

SHARES = {"training": 0.7, "validation": 0.1, "test": 0.2}
"""The subsets' shares in the paper."""

TRIES = 5
"""Seeded stratifications of which the best is kept."""

FOLDS = 10
"""Folds of one stratification. Shares are therefore tenths."""

UNASSIGNED = -1
"""In a split column: a movie without a subset."""

PAIR_WEIGHT = 5
"""Weight of the pair deviation in the score: on the published labels it brings the label and the
pair deviation to one scale."""


class Deviations(NamedTuple):
    """How far a split column is from perfect stratification; 0 is perfect."""

    label: float
    """The largest relative deviation of a genre's share in a subset from its share overall."""
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

    def of_split(self, number: int) -> "Constraints":
        """Those of one of several splits."""
        assigned = None if self.assigned is None else self.assigned[:, number]
        return Constraints(assigned, self.groups)


def make_splits(
    labels: np.ndarray,
    shares: Mapping[str, float],
    seed: int,
    tries: int = TRIES,
    constraints: Constraints | None = None,
    count: int = len(SPLITS),
) -> np.ndarray:
    """`count` independent splits as columns: (movies, count) int64.

    See `make_split` for the other parameters and the errors.
    """
    columns = []
    for number in range(count):
        column = make_split(
            labels,
            shares,
            seed_for(seed, "split", number),
            tries,
            (constraints or Constraints()).of_split(number),
        )
        sizes = "/".join(str((column == subset).sum()) for subset in range(len(SUBSETS)))
        label, pair = deviations(labels, column)
        log.info(
            "split%d: %s movies, label deviation %.3f, pair deviation %.4f",
            number,
            sizes,
            label,
            pair,
        )
        columns.append(column)
    return np.column_stack(columns)


def make_split(
    labels: np.ndarray,
    shares: Mapping[str, float],
    seed: int,
    tries: int = TRIES,
    constraints: Constraints | None = None,
) -> np.ndarray:
    """One split column, (movies,) int64 of 0, 1, 2: the best of `tries` seeded stratifications.

    labels: (movies, genres) of 0 and 1. shares: a multiple of 0.1 for each of `SUBSETS`.
    constraints: `assigned` is (movies,). New movies are assigned so that all movies together are
        as balanced as possible.

    Each try divides the movies into ten folds. Of all assignments of folds to subsets, over all
    tries, the one with the lowest score (`_scores`) is kept. Fewer than ten new movies (or groups)
    are assigned one by one, each to the subset that is furthest below its share.
    Raises `UserError` when there are fewer movies than folds, or a subset stays empty.
    """
    if len(labels) < FOLDS:
        raise UserError(f"splits: {len(labels)} movies; at least {FOLDS} are needed")
    assigned, groups = (
        (None, None) if constraints is None else (constraints.assigned, constraints.groups)
    )
    base = np.full(len(labels), UNASSIGNED) if assigned is None else assigned.astype(np.int64)
    units = np.arange(len(labels)) if groups is None else np.unique(groups, return_inverse=True)[1]
    base = _assign_to_their_group(base, units)
    open_units = np.unique(units[base == UNASSIGNED])
    if not len(open_units):
        return base
    columns, target = with_pairs(labels), np.array([shares[name] for name in SUBSETS])
    best, best_score = base, np.inf
    for number in range(tries):
        try_seed = seed_for(seed, "try", number) % 2**32
        if len(open_units) < FOLDS:
            candidates = _one_by_one(base, units, open_units, target, try_seed)[None]
            fold_of = np.searchsorted(open_units, units)
        else:
            fold_of = _folds(columns, units, open_units, try_seed)[units]
            candidates = _fold_assignments(target)
        scores = _scores(*_count(columns, base, fold_of, candidates), labels.shape[1], target)
        lowest = int(np.argmin(scores))
        if scores[lowest] < best_score:
            best_score = float(scores[lowest])
            best = np.where(base == UNASSIGNED, candidates[lowest][fold_of], base)
    if best_score == np.inf:
        raise UserError(
            f"splits: {len(labels)} movies in {len(np.unique(units))} groups leave a subset empty; "
            "put fewer movies into one group"
        )
    return best


def with_pairs(labels: np.ndarray) -> np.ndarray:
    """The labels (movies, genres) and, as further columns, the pairs of genres that occur."""
    pairs = [labels[:, i] & labels[:, j] for i, j in combinations(range(labels.shape[1]), 2)]
    pairs = [pair for pair in pairs if pair.any()]
    return np.column_stack([labels, *pairs])


def deviations(labels: np.ndarray, subset: np.ndarray) -> Deviations:
    """How far a split column, (movies,), is from perfect stratification of labels (movies, genres).

    Both numbers are infinite when a subset is empty.
    """
    columns = with_pairs(labels)
    inside = subset == np.arange(len(SUBSETS))[:, None]
    label, pair = _deviations(inside @ columns, inside.sum(1), labels.shape[1])
    return Deviations(float(label), float(pair))


def _deviations(
    counts: np.ndarray, sizes: np.ndarray, genres: int
) -> tuple[np.ndarray, np.ndarray]:
    """`deviations` of many splits at once: two arrays (...,).

    counts: (..., subsets, columns), how often each label or pair occurs in each subset.
    sizes: (..., subsets), movies. genres: how many of the columns are single genres.
    """
    movies, total = sizes.sum(-1), counts.sum(-2)
    shares = sizes / movies[..., None]
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = counts / sizes[..., None] / (total / movies[..., None])[..., None, :]
    label = np.abs(np.where(total[..., None, :] > 0, relative, 1) - 1)[..., :genres].max((-1, -2))
    off = np.abs(counts - shares[..., None] * total[..., None, :])[..., genres:].sum((-1, -2))
    pair = off / np.maximum(1, total[..., genres:].sum(-1))
    empty = (sizes == 0).any(-1)
    return np.where(empty, np.inf, label), np.where(empty, np.inf, pair)


def _scores(counts: np.ndarray, sizes: np.ndarray, genres: int, target: np.ndarray) -> np.ndarray:
    """The score of each candidate split, (...,); the lowest is the best.

    It is label deviation + `PAIR_WEIGHT` x pair deviation + size deviation. The size deviation is
    the largest relative deviation of a subset's size from its target share. See `_deviations`.
    """
    label, pair = _deviations(counts, sizes, genres)
    size = np.abs(sizes / sizes.sum(-1)[..., None] / target - 1).max(-1)
    scores: np.ndarray = label + PAIR_WEIGHT * pair + size
    return scores


def _count(
    columns: np.ndarray, base: np.ndarray, fold_of: np.ndarray, candidates: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Per candidate: counts (candidates, subsets, columns) and sizes (candidates, subsets).

    fold_of: (movies,). candidates: (candidates, folds), the subset of each fold of new movies.
    """
    new, numbers = base == UNASSIGNED, np.arange(len(SUBSETS))
    in_fold = fold_of[new] == np.arange(candidates.shape[1])[:, None]
    in_base = base == numbers[:, None]
    in_subset = candidates[:, None, :] == numbers[:, None]
    counts = in_base @ columns + in_subset @ (in_fold @ columns[new])
    return counts, in_base.sum(1) + in_subset @ in_fold.sum(1)


def _assign_to_their_group(base: np.ndarray, units: np.ndarray) -> np.ndarray:
    """A copy in which unassigned movies of a partly assigned group have the group's subset."""
    filled = base.copy()
    for unit in np.unique(units[base != UNASSIGNED]):
        members = units == unit
        assigned = base[members & (base != UNASSIGNED)]
        filled[members & (base == UNASSIGNED)] = np.bincount(assigned).argmax()
    return filled


def _folds(columns: np.ndarray, units: np.ndarray, open_units: np.ndarray, seed: int) -> np.ndarray:
    """A fold for each unit, (units,) int64; only the values at `open_units` have a meaning."""
    # A unit has every label that any of its movies has.
    of_units = np.zeros((units.max() + 1, columns.shape[1]), columns.dtype)
    np.maximum.at(of_units, units, columns)
    rows = of_units[open_units]
    if rows.shape[1] == 1:  # scikit-learn takes one column for another kind of target
        rows = np.column_stack([rows, 1 - rows])
    fold_of = np.zeros(len(of_units), np.int64)
    folds = MultilabelStratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    for fold, (_, inside) in enumerate(folds.split(rows, rows)):
        fold_of[open_units[inside]] = fold
    return fold_of


def _fold_assignments(target: np.ndarray) -> np.ndarray:
    """All assignments of folds to subsets by their shares, (assignments, folds): 360 for 7, 1, 2
    folds."""
    _, validation, test = np.round(target * FOLDS).astype(int)
    assignments = []
    for first in combinations(range(FOLDS), validation):
        remaining = [fold for fold in range(FOLDS) if fold not in first]
        for second in combinations(remaining, test):
            assignments.append([1 if f in first else 2 if f in second else 0 for f in range(FOLDS)])
    return np.array(assignments)


def _one_by_one(
    base: np.ndarray, units: np.ndarray, open_units: np.ndarray, target: np.ndarray, seed: int
) -> np.ndarray:
    """A subset for each of a few units, (open units,) int64: in random order, each to the subset
    that is furthest below its target share."""
    sizes = np.bincount(base[base != UNASSIGNED], minlength=len(SUBSETS)).astype(float)
    subsets = np.zeros(len(open_units), np.int64)
    for place in np.random.default_rng(seed).permutation(len(open_units)):
        neediest = int(np.argmax(target - sizes / max(1, sizes.sum())))
        subsets[place] = neediest
        sizes[neediest] += (units == open_units[place]).sum()
    return subsets
