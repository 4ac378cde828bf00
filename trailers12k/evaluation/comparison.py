"""Intervals of the rows of the results table, and tests between every two of them.

Reads mtgc.csv and predictions; writes results/transfer/intervals.csv and comparisons.csv. Must not
know models or stores.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from trailers12k.common.errors import UserError
from trailers12k.common.files import write_csv
from trailers12k.common.seeds import seed_for
from trailers12k.common.vocabulary import GENRES, METRICS
from trailers12k.evaluation.differences import (
    ALL,
    COMPARISON_COLUMNS,
    INTERVAL_COLUMNS,
    LEVEL,
)
from trailers12k.evaluation.frames import read_predictions
from trailers12k.evaluation.resampling import (
    Resampled,
    SplitTests,
    compare,
    draw_counts,
    interval,
    resample,
)
from trailers12k.evaluation.scores import TrainedSplit

log = logging.getLogger(__name__)


Tested = tuple[frozenset[str], ...]
"""The test movies of each split."""


@dataclass(frozen=True)
class RowPredictions:
    """The test predictions of one row, of each split in order: indexed by mid, a genre a column."""

    run: str
    splits: tuple[pd.DataFrame, ...]

    @property
    def tested(self) -> Tested:
        """Its test movies."""
        return tuple(frozenset(split.index) for split in self.splits)


def read_rows(trained: Sequence[TrainedSplit]) -> list[RowPredictions]:
    """The test predictions of all rows. Raises `UserError`."""
    found: dict[str, list[pd.DataFrame]] = {}
    for each in sorted(trained, key=lambda each: each.split):
        found.setdefault(each.run, []).append(read_predictions(each.folder / "tst.csv"))
    names = dict.fromkeys(each.run for each in trained)
    return [RowPredictions(name, tuple(found[name])) for name in names]


class Means(NamedTuple):
    """The metrics of a row as means over the splits, (4,), and of each resample, (resamples, 4)."""

    mean: np.ndarray
    draws: np.ndarray


class RowResamples:
    """The metrics of rows on the same resamples of movies.

    mtgc: of `scores.read_labels`. resamples: their number. The union of all test movies is drawn
    from, in the order of mids, so that no result depends on the order of files or rows.
    """

    def __init__(
        self, mtgc: pd.DataFrame, rows: Sequence[RowPredictions], resamples: int, seed: int
    ):
        union = sorted({mid for row in rows for tested in row.tested for mid in tested})
        if not union:
            raise UserError("no row has test predictions, so there is nothing to compare")
        self.rows = rows
        self._labels = mtgc.loc[union, list(GENRES)]
        self._places = pd.Series(np.arange(len(union)), index=union)
        self._counts = draw_counts(len(union), resamples, seed_for(seed, "resamples"))
        self._made: dict[tuple[str, Tested], Means] = {}

    def of(self, row: RowPredictions, tested: Tested | None = None) -> Resampled:
        """The metrics of a row on some of its test movies, by default on all."""
        tested = row.tested if tested is None else tested
        splits = [
            self._sorted(own.loc[sorted(movies)])
            for own, movies in zip(row.splits, tested, strict=True)
        ]
        found = resample(splits, self._counts)
        self._made[row.run, tested] = Means(found.mean, found.means)
        return found

    def means(self, row: RowPredictions, tested: Tested) -> Means:
        """The means over the splits; computed once."""
        if (row.run, tested) not in self._made:
            self.of(row, tested)
        return self._made[row.run, tested]

    def _sorted(self, predictions: pd.DataFrame) -> SplitTests:
        labels = self._labels.loc[predictions.index].to_numpy()
        places = self._places[predictions.index].to_numpy()
        return SplitTests(labels, predictions[list(GENRES)].to_numpy(), places)


def interval_rows(resamples: RowResamples) -> list[dict[str, object]]:
    """The rows of intervals.csv: of each row, split and metric, and of the mean over splits."""
    found = []
    for row in resamples.rows:
        own = resamples.of(row)
        sizes = [len(split) for split in row.splits]
        values = np.vstack([own.estimates, own.mean])
        ends = interval(values, np.concatenate([own.draws, own.means[:, None]], axis=1))
        low, high = (np.clip(end, 0, 1) for end in ends)
        for place, split in enumerate([*map(str, range(len(sizes))), ALL]):
            for number, metric in enumerate(METRICS):
                found.append(
                    {
                        "run": row.run,
                        "split": split,
                        "metric": metric,
                        "estimate": _cell(values[place, number]),
                        "low": _cell(low[place, number]),
                        "high": _cell(high[place, number]),
                        "movies": sum(sizes) if split == ALL else sizes[place],
                    }
                )
    return found


def comparison_rows(resamples: RowResamples) -> list[dict[str, object]]:
    """The rows of comparisons.csv: of each metric, every two rows on the movies of both.

    Pairs without a common movie in some split are left out.
    """
    pairs, common = [], []
    for a, b in combinations(resamples.rows, 2):
        both = tuple(one & other for one, other in zip(a.tested, b.tested, strict=True))
        if all(both):
            pairs.append((a, b))
            common.append(both)
    if not pairs:
        return []
    made = [
        (resamples.means(a, both), resamples.means(b, both))
        for (a, b), both in zip(pairs, common, strict=True)
    ]
    found: list[dict[str, object]] = []
    for number, metric in enumerate(METRICS):
        differences = np.array([a.mean[number] - b.mean[number] for a, b in made])
        tests = compare(differences, partial(_draws, made, number))
        for place, ((a, b), both) in enumerate(zip(pairs, common, strict=True)):
            found.append(
                {"run_a": a.run, "run_b": b.run, "metric": metric}
                | {
                    name: _cell(getattr(tests, name)[place])
                    for name in ("difference", "low", "high", "p", "p_adjusted")
                }
                | {"movies": sum(map(len, both))}
            )
    return found


def _draws(made: Sequence[tuple[Means, Means]], metric: int, pairs: np.ndarray) -> np.ndarray:
    """The differences of pairs on all resamples, (resamples, pairs)."""
    found = ((made[pair][0].draws, made[pair][1].draws) for pair in pairs)
    return np.stack([a[:, metric] - b[:, metric] for a, b in found], axis=1)


def _cell(value: float) -> str:
    """A figure with six decimals; empty for nan."""
    return "" if np.isnan(value) else f"{value:.6f}"


def write_comparisons(
    mtgc: pd.DataFrame,
    trained: Sequence[TrainedSplit],
    outputs: Mapping[str, str | Path],
    resamples: int,
    seed: int,
) -> None:
    """Write `outputs["intervals"]` and `outputs["comparisons"]`. Raises `UserError`."""
    rows = read_rows(trained)
    made = RowResamples(mtgc, rows, resamples, seed)
    write_csv(outputs["intervals"], INTERVAL_COLUMNS, interval_rows(made))
    compared = comparison_rows(made)
    write_csv(outputs["comparisons"], COMPARISON_COLUMNS, compared)
    differ = sum(
        float(str(row["p_adjusted"])) < LEVEL for row in compared if row["metric"] == "uap"
    )
    log.info(
        "%d resamples of the test movies of %d rows; %d of %d pairs differ in µAP (p < %g)",
        resamples,
        len(rows),
        differ,
        len(compared) // len(METRICS),
        LEVEL,
    )
