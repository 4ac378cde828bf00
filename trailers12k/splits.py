"""Label matrix to split columns: second-order iterative stratification, and how good it is.

Reads and writes nothing. Must not know videos or stores.
"""

import logging
from collections.abc import Mapping
from itertools import combinations

import numpy as np
from iterstrat.ml_stratifiers import MultilabelStratifiedKFold

from trailers12k.jobs import UserError
from trailers12k.seeds import seed_for

log = logging.getLogger(__name__)

SUBSETS = ("training", "validation", "test")
"""A split column holds their positions: 0, 1, 2."""

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
    genres = labels.shape[1]
    overall = labels.mean(axis=0)
    label, pair = 0.0, 0.0
    for number in range(len(SUBSETS)):
        inside = subset == number
        if not inside.any():
            return np.inf, np.inf
        share = labels[inside].mean(axis=0)
        label = max(label, np.max(np.abs(share - overall)[overall > 0] / overall[overall > 0]))
        counts = columns[:, genres:].sum(axis=0)
        pair += np.abs(columns[inside, genres:].sum(axis=0) - counts * inside.mean()).sum()
    total = columns[:, genres:].sum()
    return float(label), float(pair / total) if total else 0.0


def _score(labels: np.ndarray, subset: np.ndarray) -> float:
    """What the best try is chosen by: label deviation + 5 x pair deviation, the smaller the better.

    The factor brings the two, as they come out on the published labels, to one scale.
    """
    label, pair = quality(labels, subset)
    return label + 5 * pair


def split(labels: np.ndarray, shares: Mapping[str, float], seed: int, tries: int) -> np.ndarray:
    """One split column, (movies,) int64 of 0, 1, 2: the best of `tries` seeded stratifications.

    labels: (movies, genres) of 0 and 1. shares: tenths for each name of `SUBSETS`.
    The engine is iterative stratification (Sechidis et al. 2011) in ten folds, with the pairs of
    genres as further labels (second order: Szymanski and Kajdanowicz 2017); the folds are dealt to
    the subsets by their shares. Raises `UserError` when there are fewer movies than folds.
    """
    if len(labels) < FOLDS:
        raise UserError(f"splits: {len(labels)} movies; at least {FOLDS} are needed")
    columns = with_pairs(labels)
    folds_of = np.repeat(range(len(SUBSETS)), [round(shares[name] * FOLDS) for name in SUBSETS])
    best, best_score = None, np.inf
    for number in range(tries):
        folds = MultilabelStratifiedKFold(
            FOLDS, shuffle=True, random_state=seed_for(seed, "try", number) % 2**32
        )
        subset = np.empty(len(labels), dtype=np.int64)
        for fold, (_, inside) in enumerate(folds.split(columns, columns)):
            subset[inside] = folds_of[fold]
        score = _score(labels, subset)
        if best is None or score < best_score:
            best, best_score = subset, score
    return best


def make_splits(
    labels: np.ndarray, shares: Mapping[str, float], seed: int, tries: int, count: int = 3
) -> np.ndarray:
    """`count` independent splits as columns: (movies, count) int64. See `split`."""
    columns = []
    for number in range(count):
        column = split(labels, shares, seed_for(seed, "split", number), tries)
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
