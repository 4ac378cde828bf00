"""The texts and tables of the report's chapter on results.

Reads rows of summary.csv, options.csv and curves/genres.csv. Must not know HTML, charts or files.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from trailers12k.common.vocabulary import (
    CHANCE,
    GENRES,
    METRIC_NAMES,
    METRICS,
)
from trailers12k.evaluation.absence import listed
from trailers12k.evaluation.differences import interval_of
from trailers12k.evaluation.scores import is_untrained
from trailers12k.report.grid import Cell, Grid, Rows
from trailers12k.report.numbers import (
    count,
    counted,
    difference,
    score,
    spread,
)
from trailers12k.report.overview import (
    Settings,
    controls,
    runs_with_sound,
    without_training,
)
from trailers12k.report.run_charts import trained_runs


def result_words(summary: pd.DataFrame, settings: Settings) -> str:
    """How many runs there are, which are controls, and how many agree with the paper."""
    runs = trained_runs(summary)
    each = "" if len(runs) == 1 else "each "
    words = f"{counted(len(runs), 'run')}, {each}trained on every split."
    if asked := sorted(without_training(settings) & {*runs["run"]}):
        trained = len(runs) - len(asked)
        verb = "estimates" if len(asked) == 1 else "estimate"
        words = (
            f"{counted(len(runs), 'run')}, {count(trained)} of them trained on every split. "
            f"{listed(asked)} {verb} genres without training, from texts about them."
        )
    words += _heard_words(runs, settings)
    shuffled = sorted(controls(settings) & {*runs["run"]})
    if shuffled:
        verb = "was" if len(shuffled) == 1 else "were"
        words += (
            f" {listed(shuffled)} {verb} trained on shuffled labels and should stay near chance."
        )
    compared = runs[runs["paper_uap"].notna()] if "paper_uap" in runs else runs.iloc[:0]
    if len(compared):
        within = int(compared["uap_within"].map(_is_true).sum())
        of_them, agreeing = f"{count(len(compared))} of them", count(within) if within else "none"
        if len(runs) == 1:
            verb = "agrees" if within else "does not agree"
            return (
                f"{words} The paper reports it. Within both standard deviations together, our µAP "
                f"{verb} with the paper's."
            )
        words += (
            f" The paper reports {of_them}. Within both standard deviations together, our µAP "
            f"agrees with the paper's for {agreeing}."
        )
    return words


def _heard_words(runs: pd.DataFrame, settings: Settings) -> str:
    """How many test movies the runs with sound had; empty where all runs or none are such."""
    hearing = runs[runs["run"].isin(runs_with_sound(settings))]
    if not len(hearing) or len(hearing) == len(runs):
        return ""
    numbers = {(row["movies"], row["of"]) for row in hearing.to_dict("records")}
    names = listed(list(hearing["run"]))
    verb = "hears" if len(hearing) == 1 else "hear"
    words = f" {names} {verb} the trailers"
    if len(numbers) > 1:
        return f"{words}."
    tested, of = next(iter(numbers))
    missing = "" if tested == of else "; the others have no sound or no features"
    return f"{words} and had {count(tested)} of {counted(of, 'test movie')}{missing}."


def _is_true(cell: object) -> bool:
    """The value of a boolean cell; columns with empty cells are read as text."""
    return str(cell) == "True"


@dataclass(frozen=True)
class MetricCell:
    """One metric of a run: our value, the paper's value, and the difference; the latter two may be
    empty. spread: of our value, with its sign. interval: of our value, empty where it has none."""

    ours: str
    spread: str = ""
    interval: str = ""
    paper: str = ""
    difference: str = ""


@dataclass(frozen=True)
class ResultRow:
    """A row of the table of results; cells: of `METRICS`. missing: the number of test movies, where
    some have no features."""

    run: str
    weights: str
    untrained: bool
    cells: list[MetricCell]
    missing: str


def tested_words(summary: pd.DataFrame) -> str:
    """How many test movies have features, if this is the same number for all runs and not all."""
    runs = trained_runs(summary)
    numbers = {(row["movies"], row["of"]) for row in runs.to_dict("records")}
    tested, of = next(iter(numbers))
    if len(numbers) > 1 or tested == of:
        return ""
    who = "The run was" if len(runs) == 1 else "All runs were"
    return f"{who} tested on {count(tested)} of {counted(of, 'test movie')}; chance on all."


def result_rows(summary: pd.DataFrame) -> list[ResultRow]:
    """The rows of summary.csv."""
    same = bool(tested_words(summary))
    return [
        ResultRow(
            run=row["run"],
            weights=row["weights"] if isinstance(row["weights"], str) else "",
            untrained=is_untrained(row["pretrained"]),
            cells=[_metric_cell(row, metric) for metric in METRICS],
            missing=""
            if same or row["movies"] == row["of"]
            else f"{count(row['movies'])} of {counted(row['of'], 'test movie')}",
        )
        for row in summary.to_dict("records")
    ]


def _metric_cell(row: Mapping[str, Any], metric: str) -> MetricCell:
    ours, _, deviation = spread(row[metric], row[f"{metric}_sd"]).partition(" ")
    ends = interval_of(row, metric)
    interval = f"{score(ends[0])} to {score(ends[1])}" if ends else ""
    if pd.isna(row.get(f"paper_{metric}")):
        return MetricCell(ours, deviation, interval)
    sign = "=" if _is_true(row[f"{metric}_within"]) else "≠"
    return MetricCell(
        ours,
        deviation,
        interval,
        spread(row[f"paper_{metric}"], row[f"paper_{metric}_sd"]),
        f"{difference(row[f'{metric}_minus_paper'])} {sign}",
    )


def variant_grid(table: pd.DataFrame) -> Grid:
    """The rows of options.csv, as means over the splits."""
    means = 100 * table.groupby(["run", "option"], sort=False)[list(METRICS)].mean()
    rows: Rows = [
        [Cell(str(run), str(option)), *map(score, row)]
        for (run, option), row in zip(means.index, means.to_numpy(), strict=True)
    ]
    heads = ["Run and variant", *METRIC_NAMES.values()]
    caption = "Other evaluations of the same trained runs, in %: means over the splits."
    return Grid(caption, heads, rows, frozenset({1, 2, 3, 4}))


@dataclass(frozen=True)
class GenreCell:
    """An average precision: in % as text, and as a fraction for the colour of its cell."""

    percent: str
    fraction: str


def genre_rows(table: pd.DataFrame, summary: pd.DataFrame) -> list[tuple[str, list[GenreCell]]]:
    """Average precision by genre: run -> cells in the order of `GENRES`; chance comes first."""
    chance = summary.set_index("run").loc[CHANCE]
    columns = {CHANCE: chance[list(GENRES)].astype(float)} | {run: table[run] for run in table}
    return [
        (run, [GenreCell(score(ap[genre]), f"{ap[genre] / 100:.3f}") for genre in GENRES])
        for run, ap in columns.items()
    ]
