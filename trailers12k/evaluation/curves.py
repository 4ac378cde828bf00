"""Curves of every run beside each other, for plots and reports: means over the splits.

Reads mtgc.csv, predictions, learning curves and scores; writes results/curves/. Must not know
models, stores or pictures.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import precision_recall_curve

from trailers12k.common.files import write_text
from trailers12k.common.vocabulary import GENRES

RECALLS = np.arange(101) / 100
"""Quotients, as the recalls of a curve are: equal fractions are equal floats then."""


def precision_at_recalls(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Precision at `RECALLS`, (101,) float64 fractions, over all pairs: two arrays of one shape.

    labels: 0 or 1. scores: floats. The curve is the one whose trapezoidal area is
    `metrics.average_precision`: equal scores are one point, straight lines between points, and
    precision 1 at recall 0. Where it falls vertically the upper end is taken, the highest
    precision that is reached at this recall; the line on to higher recalls begins at the lower.
    """
    precision, recall, _ = precision_recall_curve(labels.ravel(), scores.ravel())
    # Recalls fall, and of a repeated one the highest precision is the last. np.interp wants rising
    # numbers; at a repeated one it gives the last value, and the lines beside it are the curve's.
    return np.interp(-RECALLS, -recall, precision)


def precision_recall(mtgc: pd.DataFrame, runs: Mapping[str, Sequence[Path]]) -> pd.DataFrame:
    """Precision in % by recall (101 rows), a column a run: the mean over the splits of the curves
    over all pairs of test movie and genre.

    mtgc: of `summary.read_labels`. runs: run -> the folders of its splits. Raises KeyError when a
    movie that was predicted has no labels.
    """
    return pd.DataFrame(
        {run: 100 * np.mean([_of_split(mtgc, each) for each in runs[run]], axis=0) for run in runs},
        index=pd.Index(RECALLS, name="recall"),
    )


def _of_split(mtgc: pd.DataFrame, folder: Path) -> np.ndarray:
    predictions = pd.read_csv(folder / "tst.csv", index_col="mid")[list(GENRES)]
    labels = mtgc.loc[predictions.index, list(GENRES)]
    return precision_at_recalls(labels.to_numpy(), predictions.to_numpy())


def learning(runs: Mapping[str, Sequence[Path]]) -> pd.DataFrame:
    """Validation loss by epoch (from 1), a column a run: the mean over the splits that still train
    then, NaN where none does.

    Where a split stops the mean may jump: it is over the others from there on.
    """
    return pd.DataFrame({run: _mean_loss(folders) for run, folders in runs.items()}).sort_index()


def _mean_loss(folders: Sequence[Path]) -> pd.Series:
    several = pd.concat(pd.read_csv(folder / "curves.csv") for folder in folders)
    return several.groupby("epoch")["val_loss"].mean()


def genres(tst: pd.DataFrame, runs: Sequence[str]) -> pd.DataFrame:
    """Average precision in % by genre (10 rows), a column a run: the mean over the splits.

    tst: rows of transfer/tst.csv. Raises KeyError when it lacks a run.
    """
    means = 100 * tst.groupby("run")[list(GENRES)].mean()
    return means.loc[list(runs)].T.rename_axis(index="genre")


def balance(splits: pd.DataFrame) -> pd.DataFrame:
    """The share of each genre (10 rows) in a subset, relative to its share overall; a column a
    split and subset, `split0 test`.

    splits: rows of results/splits.csv.
    """
    columns = splits["split"] + " " + splits["subset"]
    return splits.set_index(columns)[list(GENRES)].T.rename_axis(index="genre")


def write(path: str | Path, table: pd.DataFrame, decimals: int) -> None:
    """Write a table of this module as CSV; what is missing is left empty."""
    write_text(path, table.to_csv(float_format=f"%.{decimals}f", lineterminator="\n"))
