"""Scores the predictions of runs and splits.

Reads predictions and labels; writes results/transfer/*.csv. Must not know the
model.
"""

import json
import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from trailers12k.common.errors import UserError
from trailers12k.common.files import write_csv
from trailers12k.common.seeds import seed_for
from trailers12k.common.vocabulary import AS_PUBLISHED, CHANCE, CONSTANT, GENRES, METRICS
from trailers12k.evaluation import metrics

log = logging.getLogger(__name__)

COLUMNS = ["run", "split", "epoch", *METRICS, *GENRES, "movies", "of", "weights", "pretrained"]
"""movies: that were scored. of: the subset's, those without features too. pretrained: true, false
where a store of the run has random weights, empty where it is not recorded."""


def score_runs(
    mtgc: pd.DataFrame,
    runs: Iterable[tuple[str, int, str, bool | None, Path]],
    subset: int,
    seed: int,
    present: Mapping[str, set[str]],
) -> list[dict]:
    """Rows of transfer/val.csv or tst.csv: the two chance rows and one per run and split.

    runs: (run, split, words on its weights, whether they are pretrained, its folder).
    subset: 1 validation, 2 test. present: run -> the movies that are in all its stores.

    Raises `UserError`, naming them, when the movies predicted are not those of the subset that are
    present.
    """
    name = {1: "val", 2: "tst"}[subset]
    rows = []
    runs = list(runs)
    for split in sorted({split for _, split, *_ in runs}):
        column = mtgc[f"split{split}"]
        train, labels = (mtgc.loc[column == k, list(GENRES)].to_numpy() for k in (0, subset))
        draw = seed_for(seed, CHANCE, split)
        for run, figures in (
            (CHANCE, metrics.chance(train, labels, seed=draw)),
            (CONSTANT, metrics.constant(train, labels)),
        ):
            row = {"run": run, "split": split, "epoch": 0, "movies": len(labels)}
            rows.append(row | {"of": len(labels)} | figures)
    for run, split, weights, pretrained, folder in runs:
        predictions = pd.read_csv(folder / f"{name}.csv", index_col="mid")
        in_subset = mtgc.index[mtgc[f"split{split}"] == subset]
        _check_movies(folder / f"{name}.csv", predictions.index, present[run] & {*in_subset})
        labels = mtgc.loc[predictions.index, list(GENRES)].to_numpy()
        figures = metrics.scores(labels, predictions[list(GENRES)].to_numpy())
        epoch = json.loads((folder / "run.json").read_text())["best_epoch"]
        row = {"run": run, "split": split, "epoch": epoch, "movies": len(labels)}
        row["of"] = len(in_subset)
        row["pretrained"] = {True: "true", False: "false", None: ""}[pretrained]
        rows.append(row | {"weights": weights} | figures)
        log.info(
            "%s split%d %s: %d movies, uAP %.4f, mAP %.4f, backbone weights: %s",
            run,
            split,
            name,
            len(labels),
            figures["uap"],
            figures["map"],
            weights,
        )
    return rows


def score_options(
    mtgc: pd.DataFrame, runs: Iterable[tuple[str, int, Path]], also: Sequence[str]
) -> list[dict]:
    """Rows of transfer/options.csv: of every run and split one as published, and one an option.

    runs: (run, split, its folder). also: of the configuration's `evaluation.also`.
    """
    rows = []
    for run, split, folder in runs:
        for option in (AS_PUBLISHED, *also):
            name = "tst" if option in (AS_PUBLISHED, "sklearn") else f"tst_{option}"
            predictions = pd.read_csv(folder / f"{name}.csv", index_col="mid")
            labels = mtgc.loc[predictions.index, list(GENRES)].to_numpy()
            score = metrics.step_scores if option == "sklearn" else metrics.scores
            figures = score(labels, predictions[list(GENRES)].to_numpy())
            row = {"run": run, "split": split, "option": option}
            of = int((mtgc[f"split{split}"] == 2).sum())
            rows.append(row | figures | {"movies": len(labels), "of": of})
    return rows


def _check_movies(path: Path, scored: Iterable[str], expected: set[str]) -> None:
    counts = Counter(scored)
    wrong = {
        "not predicted": sorted(expected - counts.keys()),
        "predicted, but not expected": sorted(counts.keys() - expected),
        "twice": sorted(mid for mid, count in counts.items() if count > 1),
    }
    told = [f"{what}: {', '.join(mids[:20])}" for what, mids in wrong.items() if mids]
    if told:
        raise UserError(
            f"{path} has {counts.total()} movies, {len(expected)} are expected; {'; '.join(told)}. "
            "Train this run again: delete its folder"
        )


def write_scores(path: str | Path, rows: Sequence[Mapping]) -> None:
    """Write a table of `score_runs`: `run,split,epoch,uap,map,wap,sap`, genres, movies, weights."""
    rounded = [
        {k: f"{v:.6f}" if isinstance(v, float) else v for k, v in row.items()} for row in rows
    ]
    write_csv(path, list(rows[0]) if "option" in rows[0] else COLUMNS, rounded)
