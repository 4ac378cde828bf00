"""The paper's four metrics on bootstrap resamples of the test movies, all splits at once.

Reads and writes nothing but arrays. Must not know files or models.

A resample draws movies with replacement (Efron & Tibshirani, An Introduction to the Bootstrap,
1993, chapter 6) from the union of the three test sets, which overlap. A movie drawn n times counts
n times in every split that tests it. Predictions are sorted once; a resample only adds weights in
that order. All values are those of `metrics.scores` on the drawn rows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from trailers12k.common.vocabulary import METRICS
from trailers12k.evaluation.metrics import average_precision

BLOCK = 16
"""Resamples that are computed at once: their weights fit into a processor's cache."""
PAIRS = 256
"""Pairs of rows whose draws are in memory at once: 20 MB of 10,000 resamples."""
Draws = Callable[[np.ndarray], np.ndarray]
"""Positions of pairs -> the differences of the pairs on all resamples, (resamples, positions)."""
NORMAL = 1.959964
"""The 97.5 % quantile of the standard normal distribution."""
EQUAL = 1e-12
"""A deviation of draws up to which they are equal but for rounding."""


def draw_counts(movies: int, resamples: int, seed: int) -> np.ndarray:
    """How often each movie is drawn in each resample, float32 (resamples, movies).

    Each row sums to `movies`.
    """
    generator = np.random.default_rng(seed)
    counts = np.empty((resamples, movies), np.float32)
    for row in counts:
        row[:] = np.bincount(generator.integers(0, movies, movies), minlength=movies)
    return counts


@dataclass(frozen=True)
class _Curve:
    """A precision-recall curve whose points are sorted, before anything is counted.

    Only groups of equal scores that hold a positive move recall. order: the movie of each
    prediction, by falling score. hits: those of them that are positive. first, last: the
    predictions before each such group, and up to its end. hits_before, hits_after: likewise the
    positives.
    """

    order: np.ndarray
    hits: np.ndarray
    first: np.ndarray
    last: np.ndarray
    hits_before: np.ndarray
    hits_after: np.ndarray

    @classmethod
    def of(cls, labels: np.ndarray, scores: np.ndarray, movies: np.ndarray) -> "_Curve":
        """labels, scores, movies: (N,)."""
        order = np.argsort(-scores, kind="stable")
        scores, positive, movies = scores[order], labels[order].astype(bool), movies[order]
        starts = np.flatnonzero(np.append(True, scores[1:] != scores[:-1]))
        ends = np.append(starts[1:], len(scores))
        found = np.append(0, np.cumsum(positive))
        moving = found[ends] > found[starts]
        first, last = starts[moving], ends[moving]
        return cls(movies, movies[positive], first, last, found[first], found[last])

    def areas(self, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The area under the curve and the number of positives, of each resample, float64 (B,).

        counts: (B, movies). Without a positive the area is 0.5, as in `metrics`.
        """
        drawn, hits = _summed(counts, self.order), _summed(counts, self.hits)
        before, after = hits[:, self.hits_before], hits[:, self.hits_after]
        drawn_before, drawn_after = drawn[:, self.first], drawn[:, self.last]
        # The curve starts at precision 1. A group that was not drawn adds nothing.
        high = np.divide(
            before, drawn_before, out=np.ones(before.shape), where=drawn_before > 0, dtype=float
        )
        high += np.divide(
            after, drawn_after, out=np.zeros(after.shape), where=drawn_after > 0, dtype=float
        )
        positives = hits[:, -1].astype(float)
        area = np.einsum("bn,bn->b", after - before, high)
        half = np.full(len(area), 0.5)
        return np.divide(area, 2 * positives, out=half, where=positives > 0), positives


def _summed(counts: np.ndarray, movies: np.ndarray) -> np.ndarray:
    """How many of the first n predictions are drawn, float32 (B, 1 + N); exact below 2**24."""
    sums = np.zeros((len(counts), 1 + len(movies)), np.float32)
    np.cumsum(counts[:, movies], axis=1, out=sums[:, 1:])
    return sums


class SplitTests:
    """The predictions of one row for the test movies of one split, sorted for resamples.

    labels: (N, 10) of 0 and 1. probabilities: (N, 10). movies: (N,) their places in the union of
    all test movies.
    """

    def __init__(self, labels: np.ndarray, probabilities: np.ndarray, movies: np.ndarray):
        self.movies = movies
        genres = labels.shape[1]
        self._all = _Curve.of(labels.ravel(), probabilities.ravel(), movies.repeat(genres))
        self._genres = [
            _Curve.of(labels[:, genre], probabilities[:, genre], movies) for genre in range(genres)
        ]
        self._each = average_precision(labels, probabilities)

    def scores(self, counts: np.ndarray) -> np.ndarray:
        """`METRICS` of each resample as fractions, float64 (B, 4).

        counts: see `draw_counts`. nan where no movie of the split is drawn.
        """
        parts = [self._block(counts[b : b + BLOCK]) for b in range(0, len(counts), BLOCK)]
        return np.concatenate(parts)

    def _block(self, counts: np.ndarray) -> np.ndarray:
        micro, _ = self._all.areas(counts)
        pairs = [curve.areas(counts) for curve in self._genres]
        genres, positives = (np.stack(values, axis=1) for values in zip(*pairs, strict=True))
        total = positives.sum(1)
        weighted = np.divide(
            (genres * positives).sum(1), total, out=np.full(len(total), 0.5), where=total > 0
        )
        own = counts[:, self.movies].astype(float)
        drawn = own.sum(1)
        sample = np.divide(
            own @ self._each, drawn, out=np.full(len(drawn), np.nan), where=drawn > 0
        )
        values = {"uap": micro, "map": genres.mean(1), "wap": weighted, "sap": sample}
        values = {name: np.where(drawn > 0, value, np.nan) for name, value in values.items()}
        return np.stack([values[name] for name in METRICS], axis=1)


@dataclass(frozen=True)
class Resampled:
    """One row's metrics: of the test movies themselves, and of resamples of them.

    estimates: (splits, 4). draws: (resamples, splits, 4).
    """

    estimates: np.ndarray
    draws: np.ndarray

    @cached_property
    def means(self) -> np.ndarray:
        """Of each resample, the mean over the splits, (resamples, 4)."""
        mean: np.ndarray = self.draws.mean(1)
        return mean

    @property
    def mean(self) -> np.ndarray:
        """The mean over the splits, (4,)."""
        mean: np.ndarray = self.estimates.mean(0)
        return mean


def resample(splits: Sequence[SplitTests], counts: np.ndarray) -> Resampled:
    """The metrics of one row on all resamples. counts: see `draw_counts`."""
    once = np.ones((1, counts.shape[1]), np.float32)
    return Resampled(
        np.concatenate([split.scores(once) for split in splits]),
        np.stack([split.scores(counts) for split in splits], axis=1),
    )


def interval(estimates: np.ndarray, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The bias-corrected normal interval of each estimate, at 95 %.

    estimates: any shape. draws: (resamples, ...) of them; nan does not count. The ends are
    estimate - bias -/+ `NORMAL` deviations (Davison & Hinkley, Bootstrap Methods and their
    Application, 1997, section 5.2), where bias is the mean of the draws minus the estimate (Efron &
    Tibshirani 1993, chapter 10). A resample repeats movies, which moves average precision, so
    percentiles of draws hold the truth of wAP too rarely. nan where the draws do not vary.
    """
    drawn = np.ma.masked_invalid(draws)
    centre = 2 * estimates - np.ma.filled(drawn.mean(axis=0), np.nan)
    deviation = np.ma.filled(drawn.std(axis=0, ddof=1), np.nan)
    reach = NORMAL * np.where(deviation > EQUAL, deviation, np.nan)
    return centre - reach, centre + reach


@dataclass(frozen=True)
class Comparison:
    """Differences between pairs of rows in one metric, for all pairs (pairs,).

    low, high: the interval of each difference, see `interval`. p: of each pair alone; p_adjusted:
    so that the probability of any false rejection among all pairs is at most the level.
    """

    difference: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p: np.ndarray
    p_adjusted: np.ndarray


def compare(differences: np.ndarray, draws_of: Draws) -> Comparison:
    """Tests that differences are 0, corrected for their number.

    differences: (pairs,). draws_of: called twice for each pair; its values are nan where a resample
    has no movie of the pair. There the pair counts as not different, and the other pairs lose
    nothing.
    The bootstrap distribution of a difference, moved to 0, is that of no difference (Efron &
    Tibshirani 1993, chapter 16). The correction is step-down max-T with studentised differences
    (Westfall & Young 1993, section 2.6; Romano & Wolf, Econometrica 2005), which uses how the
    differences depend on each other. Pairs without any variation have p = 1.
    """
    pairs = np.arange(len(differences))
    deviation, low, high = (np.empty(len(differences)) for _ in range(3))
    for block in _blocks(pairs):
        draws = draws_of(block)
        own = np.ma.masked_invalid(draws).std(axis=0, ddof=1)
        deviation[block] = np.ma.filled(own, 0)
        low[block], high[block] = interval(differences[block], draws)
    moves = deviation > EQUAL
    scale = np.where(moves, deviation, 1)
    observed = np.where(moves, np.abs(differences) / scale, 0)
    alone, stepped = (np.ones(len(differences)) for _ in range(2))
    order = np.argsort(-observed, kind="stable")
    largest: np.ndarray | float = 0.0
    # From the least significant pair on: the largest of each pair and all before it.
    for block in _blocks(order[::-1]):
        draws = draws_of(block)
        unknown = ~np.isfinite(draws)
        null = np.abs(draws - differences[block]) / scale[block]
        null = np.where(moves[block] & ~unknown, null, 0)
        count = len(draws) + 1
        alone[block] = (1 + ((null >= observed[block]) | unknown).sum(0)) / count
        null[:, 0] = np.maximum(null[:, 0], largest)
        np.maximum.accumulate(null, axis=1, out=null)
        largest = null[:, -1].copy()
        stepped[block] = (1 + ((null >= observed[block]) | unknown).sum(0)) / count
    adjusted = np.ones(len(differences))
    adjusted[order] = np.where(moves[order], np.maximum.accumulate(stepped[order]), 1)
    return Comparison(differences, low, high, np.where(moves, alone, 1), adjusted)


def _blocks(pairs: np.ndarray) -> list[np.ndarray]:
    """The pairs in parts of `PAIRS`."""
    return [pairs[first : first + PAIRS] for first in range(0, len(pairs), PAIRS)]
