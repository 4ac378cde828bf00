"""Choosing by figures: only figures of validation movies choose anything.

Reads and writes nothing. Must not import anything slow: the Snakefile imports this module.

A choice by test figures makes them too high: the best of many rows on the test movies is partly the
luckiest (Cawley & Talbot, Journal of Machine Learning Research 11, 2010). So figures and
predictions carry the subset of their movies, and every function that chooses refuses others than
validation ones. Whatever picks a row, a checkpoint or a hyperparameter by a score calls this.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any

from trailers12k.common.errors import UserError
from trailers12k.common.vocabulary import SUBSETS

if TYPE_CHECKING:
    import numpy as np

VALIDATION = "validation"
METRIC = "uap"
"""What hyperparameters and rows are chosen by, where nothing else is said."""


class NotValidation(ValueError):
    """A choice was asked of figures that are not of validation movies."""


@dataclass(frozen=True)
class Figures:
    """A figure of each candidate. subset: of the movies on which all were measured."""

    subset: str
    values: Mapping[str, float]


@dataclass(frozen=True)
class Predictions:
    """Probabilities of the movies of one subset of a split; `predictions_of` makes them.

    labels, probabilities: (movies, 10).
    """

    subset: str
    labels: "np.ndarray"
    probabilities: "np.ndarray"


@dataclass(frozen=True)
class Choice:
    """The chosen value of a hyperparameter, and the validation figure of each value tried."""

    value: float
    figures: Mapping[float, float]


def predictions_of(
    mids: Sequence[str],
    labels: "np.ndarray",
    probabilities: "np.ndarray",
    places: Mapping[str, int],
) -> Predictions:
    """Predictions with the subset that the split says, not the caller.

    places: mid -> its position in `SUBSETS`, from a split column of mtgc.csv. Raises ValueError
    when the movies are not all of one subset.
    """
    found = {places.get(mid, -1) for mid in mids}
    if len(found) != 1 or -1 in found:
        raise ValueError(f"the {len(mids)} predicted movies are not of one subset of the split")
    return Predictions(SUBSETS[found.pop()], labels, probabilities)


def figures_of(rows: Iterable[Mapping[str, Any]], metric: str = METRIC) -> Figures:
    """The mean of a metric over the splits of each run, in the order of the rows.

    rows: of transfer/val.csv or tst.csv, whose column `subset` says which it is. Raises `UserError`
    for rows of an earlier version, which lack it.
    """
    subsets, values = set[str](), dict[str, list[float]]()
    for row in rows:
        if "subset" not in row:
            raise UserError(
                "the scores in results/transfer/ are of an earlier version and do not say their "
                "subset; run first: trailers12k run evaluate"
            )
        subsets.add(str(row["subset"]))
        values.setdefault(str(row["run"]), []).append(float(row[metric]))
    means = {run: fmean(figures) for run, figures in values.items()}
    return Figures(" and ".join(sorted(subsets)), means)


def best(figures: Figures, among: Iterable[str] | None = None) -> str:
    """The candidate with the highest figure, of equals the first. Raises `NotValidation`.

    among: the candidates that count; all by default. Raises ValueError without any.
    """
    _require(figures.subset)
    counted = figures.values if among is None else [n for n in among if n in figures.values]
    return max(counted, key=lambda name: figures.values[name])


def choose(candidates: Iterable[tuple[float, Predictions]], patience: int | None = None) -> Choice:
    """The value whose predictions have the highest micro average precision, of equals the first.

    candidates: values of a hyperparameter in the order in which they are tried, and what each
    predicts. patience: after so many values without a higher figure no further one is made; None:
    all are. Raises `NotValidation`; ValueError without a candidate.
    """
    from trailers12k.evaluation import metrics

    figures = dict[float, float]()
    chosen, waited = None, 0
    for value, predictions in candidates:
        _require(predictions.subset)
        scores = metrics.scores(predictions.labels, predictions.probabilities)
        figures[value], waited = scores[METRIC], waited + 1
        if chosen is None or figures[value] > figures[chosen]:
            chosen, waited = value, 0
        if waited == patience:
            break
    if chosen is None:
        raise ValueError("there is no value to choose from")
    return Choice(chosen, figures)


def _require(subset: str) -> None:
    if subset != VALIDATION:
        raise NotValidation(
            f"these are figures of {subset or 'no'} movies; only figures of validation movies "
            "choose a row, a checkpoint or a hyperparameter"
        )
