"""Curves of all runs, as means over the splits, for plots and the report.

Reads mtgc.csv, predictions, learning curves and scores; writes results/curves/. Must not know
models, stores or how curves are drawn.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import precision_recall_curve

from trailers12k.common.files import write_text
from trailers12k.common.vocabulary import GENRES, PREDICTION_FILES
from trailers12k.evaluation.frames import read_curves, read_predictions

RECALLS = np.arange(101) / 100
"""Recalls at which curves are sampled, (101,) float64. They are computed as quotients, as the
recalls of a curve are, so that equal fractions are equal floats."""


def precision_at_recalls(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Precision at `RECALLS` over all pairs of movie and genre: (101,) float64 fractions.

    labels, scores: arrays of one shape; 0 or 1, and floats. The area under this curve is
    `metrics.average_precision`: equal scores are one point, points are joined by straight lines,
    and precision is 1 at recall 0. Where the curve falls vertically, the highest precision at that
    recall is taken; the line to the next recall starts at the lowest.
    """
    precision, recall, _ = precision_recall_curve(labels.ravel(), scores.ravel())
    # Recalls fall, and the last of equal recalls has the highest precision. np.interp needs rising
    # abscissas; at a repeated one it returns the last value, and lines start where the curve's do.
    precisions: np.ndarray = np.interp(-RECALLS, -recall, precision)
    return precisions


def precision_recall(mtgc: pd.DataFrame, runs: Mapping[str, Sequence[Path]]) -> pd.DataFrame:
    """Precision in % by recall (101 rows), one column per run: the mean over the splits' curves.

    mtgc: of `scores.read_labels`. runs: run -> the folders of its splits. Raises KeyError when a
    predicted movie has no labels.
    """
    return pd.DataFrame(
        {run: 100 * np.mean([_of_split(mtgc, each) for each in runs[run]], axis=0) for run in runs},
        index=pd.Index(RECALLS, name="recall"),
    )


def learning(runs: Mapping[str, Sequence[Path]]) -> pd.DataFrame:
    """Validation loss by epoch (from 1), one column per run; NaN where no split trains any more.

    It is the mean over the splits that still train in the epoch, so it may jump where one stops.
    """
    return pd.DataFrame({run: _mean_loss(folders) for run, folders in runs.items()}).sort_index()


def genres(tst: pd.DataFrame, runs: Sequence[str]) -> pd.DataFrame:
    """Average precision in % by genre (10 rows), one column per run: the mean over the splits.

    tst: rows of transfer/tst.csv. Raises KeyError when it has no row of a run.
    """
    means = 100 * tst.groupby("run")[list(GENRES)].mean()
    return means.loc[list(runs)].T.rename_axis(index="genre")


def balance(splits: pd.DataFrame) -> pd.DataFrame:
    """The share of each genre (10 rows) in a subset, relative to its share overall.

    One column per split and subset, such as `split0 test`. splits: rows of results/splits.csv.
    """
    columns = splits["split"] + " " + splits["subset"]
    return splits.set_index(columns)[list(GENRES)].T.rename_axis(index="genre")


def write(path: str | Path, table: pd.DataFrame, decimals: int) -> None:
    """Write a table of this module as CSV; missing values are empty cells."""
    write_text(path, table.to_csv(float_format=f"%.{decimals}f", lineterminator="\n"))


def _of_split(mtgc: pd.DataFrame, folder: Path) -> np.ndarray:
    path = folder / PREDICTION_FILES["test"]
    predictions = read_predictions(path)[list(GENRES)]
    labels = mtgc.loc[predictions.index, list(GENRES)]
    return precision_at_recalls(labels.to_numpy(), predictions.to_numpy())


def _mean_loss(folders: Sequence[Path]) -> pd.Series:
    all_splits = pd.concat(read_curves(folder / "curves.csv") for folder in folders)
    return all_splits.groupby("epoch")["val_loss"].mean()
