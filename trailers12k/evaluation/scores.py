"""Scores the predictions of runs on the movies of each split.

Reads mtgc.csv, predictions and run.json; writes results/transfer/*.csv. Must not know models or
stores.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from trailers12k.common.bounded_files import quoted
from trailers12k.common.errors import UserError
from trailers12k.common.files import read_json, reading, write_csv
from trailers12k.common.seeds import seed_for
from trailers12k.common.vocabulary import (
    AS_PUBLISHED,
    CHANCE,
    CONSTANT,
    GENRES,
    METRICS,
    PREDICTION_FILES,
    SPLITS,
    SUBSETS,
)
from trailers12k.evaluation import metrics
from trailers12k.evaluation.frames import read_frame, read_predictions
from trailers12k.evaluation.rows import DIVITA, ResultRow

log = logging.getLogger(__name__)

COLUMNS = (
    *("run", "split", "epoch", *METRICS, *GENRES),
    *("movies", "of", "weights", "pretrained", "absent", "classifier", "subset"),
)
"""Columns of val.csv and tst.csv; see `ScoreRow`."""

OPTION_COLUMNS = ("run", "split", "option", *METRICS, *GENRES, "movies", "of")
"""Columns of options.csv; see `OptionRow`."""

MAX_NAMED = 20
"""Movies that an error names per kind of fault."""


@dataclass(frozen=True)
class TrainedSplit:
    """One row on one split: its name, the split's number, and the folder of its predictions.

    classifier: one of `rows.CLASSIFIERS`.
    """

    run: str
    split: int
    folder: Path
    classifier: str = DIVITA


def split_rows(rows: Iterable[ResultRow]) -> list[TrainedSplit]:
    """Each row of the results table on each of `SPLITS`."""
    return [
        TrainedSplit(row.name, int(split), row.folder(split), row.classifier)
        for row in rows
        for split in SPLITS
    ]


@dataclass(frozen=True)
class RunStores:
    """The features that a run was trained on."""

    weights: str
    """Describes the weights of the backbones."""
    pretrained: bool | None
    """False when a store has random weights; None when a store does not record it."""
    mids: frozenset[str]
    """The movies that are in all stores of the run."""


@dataclass(frozen=True)
class ScoreRow:
    """One row of val.csv or tst.csv."""

    run: str
    split: int
    scores: Mapping[str, float]
    """See `metrics.scores`."""
    movies: int
    """Movies scored."""
    of: int
    """Movies of the subset, including those without features."""
    epoch: int = 0
    """The epoch of the checkpoint; 0 for rows that are not trained in epochs."""
    weights: str = ""
    pretrained: bool | None = None
    absent: tuple[str, ...] = ()
    """Genres that none of the scored movies has."""
    classifier: str = ""
    """What made the predictions, one of `rows.CLASSIFIERS`; empty for chance."""
    subset: str = ""
    """Of the movies: only figures of validation movies choose anything, see `selection`."""

    @property
    def cells(self) -> dict[str, object]:
        """The row as text and integers, by `COLUMNS`.

        `pretrained` is true, false or empty; genres in `absent` are joined by "|".
        """
        pretrained = "" if self.pretrained is None else str(self.pretrained).lower()
        return {
            "run": self.run,
            "split": self.split,
            "epoch": self.epoch,
            **_rounded(self.scores),
            "movies": self.movies,
            "of": self.of,
            "weights": self.weights,
            "pretrained": pretrained,
            "absent": "|".join(self.absent),
            "classifier": self.classifier,
            "subset": self.subset,
        }


@dataclass(frozen=True)
class OptionRow:
    """One row of options.csv."""

    run: str
    split: int
    option: str
    """`AS_PUBLISHED` or one of `EVALUATION_VARIANTS`."""
    scores: Mapping[str, float]
    movies: int
    of: int

    @property
    def cells(self) -> dict[str, object]:
        """The row as text and integers, by `OPTION_COLUMNS`."""
        return {
            "run": self.run,
            "split": self.split,
            "option": self.option,
            **_rounded(self.scores),
            "movies": self.movies,
            "of": self.of,
        }


def read_labels(mtgc: str | Path) -> pd.DataFrame:
    """mtgc.csv, indexed by mid: ten genre columns of 0 and 1, and `split0`, `split1`, `split2`."""
    numbers = (*GENRES, "split0", "split1", "split2")
    return read_frame(mtgc, ["mid", *GENRES, "split0"], numbers, ["mid"], index_col="mid")


def is_untrained(pretrained: object) -> bool:
    """Whether a cell of a column `pretrained` records random weights.

    pretrained: true, false or empty, as text or as pandas reads it.
    """
    return str(pretrained).lower() == "false"


def absent_genres(labels: np.ndarray) -> tuple[str, ...]:
    """The genres without a positive. labels: (N, 10) of 0 and 1."""
    return tuple(genre for genre, column in zip(GENRES, labels.T, strict=True) if not column.any())


def score_runs(
    mtgc: pd.DataFrame,
    trained: Sequence[TrainedSplit],
    stores: Mapping[str, RunStores],
    subset: str,
    seed: int,
) -> list[ScoreRow]:
    """The rows of val.csv (subset "validation") or tst.csv (subset "test").

    Two rows of chance per split come first, then one row per trained split.
    mtgc: of `read_labels`. stores: run -> its features. seed: of the random orders of chance.
    Raises `UserError`, naming movies, when a file of predictions does not hold exactly the movies
    of the subset that are in all stores of the run.
    """
    number = SUBSETS.index(subset)
    rows = []
    for split in sorted({each.split for each in trained}):
        column = mtgc[f"split{split}"]
        train, labels = (mtgc.loc[column == k, list(GENRES)].to_numpy() for k in (0, number))
        for run, scores in (
            (CHANCE, metrics.chance(train, labels, seed=seed_for(seed, CHANCE, split))),
            (CONSTANT, metrics.constant(train, labels)),
        ):
            count, absent = len(labels), absent_genres(labels)
            rows.append(
                ScoreRow(run, split, scores, movies=count, of=count, absent=absent, subset=subset)
            )
    for each in trained:
        path, used = each.folder / PREDICTION_FILES[subset], stores[each.run]
        predictions = read_predictions(path)
        in_subset = mtgc.index[mtgc[f"split{each.split}"] == number]
        check_movies(path, predictions.index, used.mids & {*in_subset})
        labels, probabilities = _aligned(mtgc, predictions)
        scores = metrics.scores(labels, probabilities)
        trains = each.classifier == DIVITA
        epoch = _best_epoch(each.folder / "run.json") if trains else 0
        rows.append(
            ScoreRow(
                each.run,
                each.split,
                scores,
                movies=len(predictions),
                of=len(in_subset),
                epoch=epoch,
                weights=used.weights,
                pretrained=used.pretrained,
                absent=absent_genres(labels),
                classifier=each.classifier,
                subset=subset,
            )
        )
        log.info(
            "%s split%d %s: %d movies, uAP %.4f, mAP %.4f, backbone weights: %s",
            each.run,
            each.split,
            subset,
            len(predictions),
            scores["uap"],
            scores["map"],
            used.weights,
        )
    return rows


def _best_epoch(path: Path) -> int:
    """The epoch of a run's checkpoint. Raises `UserError` for a damaged run.json."""
    with reading(path):
        epoch = read_json(path)["best_epoch"]
        if type(epoch) is not int or epoch < 1:
            raise ValueError(f"best_epoch is {quoted(epoch)}")
        return epoch


def score_options(
    mtgc: pd.DataFrame, trained: Iterable[TrainedSplit], variants: Sequence[str]
) -> list[OptionRow]:
    """The rows of options.csv: per trained split one as published, and one per variant.

    mtgc: of `read_labels`. variants: some of `EVALUATION_VARIANTS`.
    """
    rows = []
    for each in trained:
        of = int((mtgc[f"split{each.split}"] == SUBSETS.index("test")).sum())
        for option in (AS_PUBLISHED, *variants):
            # "sklearn" scores the published predictions by another metric.
            name = "tst" if option in (AS_PUBLISHED, "sklearn") else f"tst_{option}"
            predictions = read_predictions(each.folder / f"{name}.csv")
            score = metrics.step_scores if option == "sklearn" else metrics.scores
            scores = score(*_aligned(mtgc, predictions))
            rows.append(OptionRow(each.run, each.split, option, scores, len(predictions), of))
    return rows


def check_movies(path: Path, predicted: Iterable[str], expected: Set[str]) -> None:
    """Raise `UserError` unless every expected movie is predicted once, and no other movie.

    path: of the predictions, for the message.
    """
    counts = Counter(predicted)
    faults = {
        "not predicted": sorted(expected - counts.keys()),
        "predicted, but not expected": sorted(counts.keys() - expected),
        "twice": sorted(mid for mid, count in counts.items() if count > 1),
    }
    described = [
        f"{fault}: {', '.join(mids[:MAX_NAMED])}" for fault, mids in faults.items() if mids
    ]
    if described:
        raise UserError(
            f"{path} has {counts.total()} movies, {len(expected)} are expected; "
            f"{'; '.join(described)}. Delete the folder of this run to train it again"
        )


def read_scores(path: str | Path) -> pd.DataFrame:
    """val.csv or tst.csv, which `write_scores` wrote. Raises `UserError`."""
    numbers = ("split", "epoch", *METRICS, *GENRES, "movies", "of")
    return read_frame(path, COLUMNS, numbers, ("run", "split"))


def read_options(path: str | Path) -> pd.DataFrame:
    """options.csv, which `write_options` wrote. Raises `UserError`."""
    numbers = ("split", *METRICS, *GENRES, "movies", "of")
    return read_frame(path, OPTION_COLUMNS, numbers, ("run", "split", "option"))


def write_scores(path: str | Path, rows: Sequence[ScoreRow]) -> None:
    """Write val.csv or tst.csv with `COLUMNS`; scores are fractions with six decimals."""
    write_csv(path, COLUMNS, [row.cells for row in rows])


def write_options(path: str | Path, rows: Sequence[OptionRow]) -> None:
    """Write options.csv with `OPTION_COLUMNS`; scores are fractions with six decimals."""
    write_csv(path, OPTION_COLUMNS, [row.cells for row in rows])


def _aligned(mtgc: pd.DataFrame, predictions: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Labels and probabilities of the predicted movies, both (movies, 10)."""
    labels = mtgc.loc[predictions.index, list(GENRES)]
    return labels.to_numpy(), predictions[list(GENRES)].to_numpy()


def _rounded(scores: Mapping[str, float]) -> dict[str, str]:
    return {name: f"{value:.6f}" for name, value in scores.items()}
