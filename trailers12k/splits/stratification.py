"""Label matrix to split columns: second-order iterative stratification, and how good it is.

Reads and writes tables of labels from the command line only. Must not know videos or stores.

    python -m trailers12k.splits.assignment LABELS.csv OUT.csv --seed N
"""

import logging
from collections.abc import Mapping
from itertools import combinations

import numpy as np
from iterstrat.ml_stratifiers import MultilabelStratifiedKFold

from trailers12k.common.errors import UserError
from trailers12k.common.seeds import seed_for
from trailers12k.common.vocabulary import SUBSETS
from trailers12k.splits.tables import NEW, SPLITS

log = logging.getLogger(__name__)


SHARES = {"training": 0.7, "validation": 0.1, "test": 0.2}
"""The paper's."""

TRIES = 5
FOLDS = 10


def with_pairs(labels: np.ndarray) -> np.ndarray:
    """The labels (movies, genres) and, as further columns, the pairs of genres that occur."""
    pairs = [labels[:, i] & labels[:, j] for i, j in combinations(range(labels.shape[1]), 2)]
    pairs = [pair for pair in pairs if pair.any()]
    return np.column_stack([labels, *pairs])


def quality(labels: np.ndarray, subset: np.ndarray) -> tuple[float, float]:
    """(label, pair) deviation of a split column; 0 is perfect.

    label: the largest relative deviation of a genre's share in a subset from its share overall.
    pair: the summed absolute deviation of the genre-pair counts of the subsets from proportional
        ones, over all pair counts.
    """
    columns = with_pairs(labels)
    inside = subset == np.arange(len(SUBSETS))[:, None]
    label, pair = _deviations(inside @ columns, inside.sum(1), labels.shape[1])
    return float(label), float(pair)


def _deviations(
    counts: np.ndarray, sizes: np.ndarray, genres: int
) -> tuple[np.ndarray, np.ndarray]:
    """`quality` of many splits at once, by how often each column is in each subset.

    counts: (..., subsets, columns); sizes: (..., subsets), movies. Infinite where one is empty.
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


def _scores(counts: np.ndarray, sizes: np.ndarray, genres: int, wanted: np.ndarray) -> np.ndarray:
    """What the best is chosen by: label deviation + 5 x pair deviation + size deviation.

    The smaller the better; the last is the largest relative deviation of a subset's size from its
    share. The factor brings the first two, as they come out on the published labels, to one scale.
    """
    label, pair = _deviations(counts, sizes, genres)
    size = np.abs(sizes / sizes.sum(-1)[..., None] / wanted - 1).max(-1)
    return label + 5 * pair + size


def split(
    labels: np.ndarray,
    shares: Mapping[str, float],
    seed: int,
    tries: int,
    given: np.ndarray | None = None,
    groups: np.ndarray | None = None,
) -> np.ndarray:
    """One split column, (movies,) int64 of 0, 1, 2: the best of `tries` seeded stratifications.

    labels: (movies, genres) of 0 and 1. shares: tenths for each name of `SUBSETS`.
    given: (movies,), the subsets of movies that keep them, `NEW` for the others: these are dealt so
        that all together are balanced, as far as that goes.
    groups: (movies,), numbers; movies with the same one come into the same subset. A group of which
        some are given joins them (the largest part, were they apart).

    The engine is iterative stratification (Sechidis et al. 2011) in ten folds, with the pairs of
    genres as further labels (second order: Szymanski and Kajdanowicz 2017). Of all ways to deal the
    folds to the subsets by their shares, and of all tries, the best by `_scores` is taken. Fewer
    than ten new ones are dealt one by one, to the subset that lacks most.
    Raises `UserError` when there are fewer movies than folds, or a subset stays empty.
    """
    if len(labels) < FOLDS:
        raise UserError(f"splits: {len(labels)} movies; at least {FOLDS} are needed")
    base = np.full(len(labels), NEW) if given is None else given.astype(np.int64)
    units = np.arange(len(labels)) if groups is None else np.unique(groups, return_inverse=True)[1]
    base = _with_their_group(base, units)
    open_units = np.unique(units[base == NEW])
    if not len(open_units):
        return base
    columns, wanted = with_pairs(labels), np.array([shares[name] for name in SUBSETS])
    best, best_score = base, np.inf
    for number in range(tries):
        draw = seed_for(seed, "try", number) % 2**32
        if len(open_units) < FOLDS:
            candidates = _one_by_one(base, units, open_units, wanted, draw)[None]
            fold_of = np.searchsorted(open_units, units)
        else:
            fold_of = _folds(columns, units, open_units, draw)[units]
            candidates = _dealings(wanted)
        score, dealing = _best_dealing(labels, columns, base, fold_of, candidates, wanted)
        if score < best_score:
            best, best_score = np.where(base == NEW, dealing[fold_of], base), score
    if best_score == np.inf:
        raise UserError(
            f"splits: {len(labels)} movies in {len(np.unique(units))} groups leave a subset empty; "
            "name fewer movies in one group"
        )
    return best


def _with_their_group(base: np.ndarray, units: np.ndarray) -> np.ndarray:
    """New movies of a group that is partly given get its subset."""
    filled = base.copy()
    for unit in np.unique(units[base != NEW]):
        members = units == unit
        known = base[members & (base != NEW)]
        filled[members & (base == NEW)] = np.bincount(known).argmax()
    return filled


def _folds(columns: np.ndarray, units: np.ndarray, open_units: np.ndarray, draw: int) -> np.ndarray:
    """A fold for each unit, (units,); only those of `open_units` mean anything."""
    # A unit bears the labels that any of its movies bears.
    of_units = np.zeros((units.max() + 1, columns.shape[1]), columns.dtype)
    np.maximum.at(of_units, units, columns)
    rows = of_units[open_units]
    fold_of = np.zeros(len(of_units), np.int64)
    folds = MultilabelStratifiedKFold(FOLDS, shuffle=True, random_state=draw)
    for fold, (_, inside) in enumerate(folds.split(rows, rows)):
        fold_of[open_units[inside]] = fold
    return fold_of


def _dealings(wanted: np.ndarray) -> np.ndarray:
    """All ways to deal the folds to the subsets by their shares, (ways, folds); 360 for 7, 1, 2."""
    _, validation, test = np.round(wanted * FOLDS).astype(int)
    ways = []
    for first in combinations(range(FOLDS), validation):
        rest = [fold for fold in range(FOLDS) if fold not in first]
        for second in combinations(rest, test):
            ways.append([1 if f in first else 2 if f in second else 0 for f in range(FOLDS)])
    return np.array(ways)


def _one_by_one(
    base: np.ndarray, units: np.ndarray, open_units: np.ndarray, wanted: np.ndarray, draw: int
) -> np.ndarray:
    """A subset for each of a few units, (open units,): in random order, to which lacks most."""
    sizes = np.bincount(base[base != NEW], minlength=len(SUBSETS)).astype(float)
    dealt = np.zeros(len(open_units), np.int64)
    for place in np.random.default_rng(draw).permutation(len(open_units)):
        lacking = int(np.argmax(wanted - sizes / max(1, sizes.sum())))
        dealt[place] = lacking
        sizes[lacking] += (units == open_units[place]).sum()
    return dealt


def _best_dealing(
    labels: np.ndarray,
    columns: np.ndarray,
    base: np.ndarray,
    fold_of: np.ndarray,
    candidates: np.ndarray,
    wanted: np.ndarray,
) -> tuple[float, np.ndarray]:
    """The score and the subsets, (folds,), of the best way to deal the folds of the new movies.

    fold_of: (movies,). candidates: (ways, folds).
    """
    new, numbers = base == NEW, np.arange(len(SUBSETS))
    in_fold = fold_of[new] == np.arange(candidates.shape[1])[:, None]
    in_base = base == numbers[:, None]
    dealt = candidates[:, None, :] == numbers[:, None]
    counts = in_base @ columns + dealt @ (in_fold @ columns[new])
    sizes = in_base.sum(1) + dealt @ in_fold.sum(1)
    scores = _scores(counts, sizes, labels.shape[1], wanted)
    best = int(np.argmin(scores))
    return float(scores[best]), candidates[best]


def make_splits(
    labels: np.ndarray,
    shares: Mapping[str, float],
    seed: int,
    tries: int,
    count: int = SPLITS,
    given: np.ndarray | None = None,
    groups: np.ndarray | None = None,
) -> np.ndarray:
    """`count` independent splits as columns: (movies, count) int64. See `split`.

    given: (movies, count).
    """
    columns = []
    for number in range(count):
        own = None if given is None else given[:, number]
        draw = seed_for(seed, "split", number)
        column = split(labels, shares, draw, tries, own, groups)
        sizes = "/".join(str((column == subset).sum()) for subset in range(len(SUBSETS)))
        label, pair = quality(labels, column)
        log.info(
            "split%d: %s movies, label deviation %.3f, pair deviation %.4f",
            number,
            sizes,
            label,
            pair,
        )
        columns.append(column)
    return np.column_stack(columns)
