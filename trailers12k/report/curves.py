"""The curves of all runs side by side, as tables and as one picture.

Reads mtgc.csv, scores, splits and the folders of runs; writes results/curves/ and a picture. Must
not know models, stores or pages.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trailers12k.evaluation import curves as tables
from trailers12k.evaluation.frames import read_balance
from trailers12k.evaluation.scores import read_labels, read_scores
from trailers12k.report.drawing import save
from trailers12k.report.run_charts import curves, pretrained_of


@dataclass(frozen=True)
class CurveInputs:
    """mtgc: data/mtgc.csv. tst: transfer/tst.csv. splits: results/splits.csv. runs: run -> the
    folders of its splits, with tst.csv and curves.csv."""

    mtgc: str | Path
    tst: str | Path
    splits: str | Path
    runs: Mapping[str, Sequence[Path]]


@dataclass(frozen=True)
class CurveOutputs:
    """CSV files of `evaluation.curves`. picture: path without its extension."""

    precision_recall: str | Path
    learning: str | Path
    genres: str | Path
    balance: str | Path
    picture: str | Path


def draw_curves(inputs: CurveInputs, outputs: CurveOutputs) -> None:
    """Writes the tables of all curves, and draws precision-recall and learning curves."""
    tst = read_scores(inputs.tst)
    recalls = tables.precision_recall(read_labels(inputs.mtgc), inputs.runs)
    losses = tables.learning(inputs.runs)
    tables.write(outputs.precision_recall, recalls, 2)
    tables.write(outputs.learning, losses, 6)
    tables.write(outputs.genres, tables.genres(tst, list(inputs.runs)), 2)
    tables.write(outputs.balance, tables.balance(read_balance(inputs.splits)), 4)
    save(curves(recalls, losses, pretrained_of(tst)), outputs.picture)
