"""The sentences and tables of the report's sections.

Reads the run's tables and its configuration. Must not know HTML, charts or files.
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
    OK,
    PUBLISHED,
    SAMPLE,
    STREAM_INPUTS,
)
from trailers12k.evaluation.scores import is_untrained
from trailers12k.report.formatting import count
from trailers12k.report.pictures import Grid
from trailers12k.report.run_charts import trained_runs

Tables = Mapping[str, pd.DataFrame]
"""Name, a key of `page.TABLES` -> rows."""
Settings = Mapping[str, Any]
"""The configuration of a run, as results/config.yaml holds it."""


def title(settings: Settings) -> str:
    """The heading of the page."""
    sources = _sources(settings)
    if sources == [SAMPLE]:
        return "The built-in sample"
    if sources == [PUBLISHED]:
        return "The paper's table, from the authors' features"
    return f"Trailers of {', '.join(sources)}"


def _sources(settings: Settings) -> list[str]:
    movies = settings["movies"]
    return list(map(str, movies)) if isinstance(movies, list) else [str(movies)]


def _remaining(tables: Tables) -> pd.Series:
    """The movies that remain after each step of the funnel, by step."""
    table = tables["funnel"]
    return table[table["status"] == OK].set_index("step")["movies"]


def _best(summary: pd.DataFrame) -> pd.Series:
    runs = trained_runs(summary)
    return runs.loc[runs["uap"].idxmax()]


def lead(tables: Tables) -> str:
    """The result of the run in two sentences."""
    summary = tables["summary"]
    best = _best(summary)
    chance = summary.set_index("run").loc[CHANCE, "uap"]
    weights = "untrained weights" if is_untrained(best["pretrained"]) else str(best["weights"])
    return (
        f"{count(_remaining(tables).iloc[0])} movies, {len(trained_runs(summary))} runs on "
        f"{tables['splits']['split'].nunique()} splits. The best, {best['run']} ({weights}), "
        f"reaches µAP {best['uap']:.2f} ± {best['uap_sd']:.2f} %; chance reaches {chance:.2f} %."
    )


def untrained_runs(summary: pd.DataFrame) -> list[str]:
    """The runs on backbones with random weights."""
    runs = trained_runs(summary)
    return list(runs.loc[runs["pretrained"].map(is_untrained), "run"])


def tiles(tables: Tables) -> list[tuple[str, str]]:
    """The key figures of the run: number, description."""
    remaining, stores = _remaining(tables), tables["stores"]
    figures = [(count(remaining.iloc[0]), "movies")]
    if "trailers" in remaining:
        figures.append((count(remaining["trailers"]), "complete trailers"))
    clips = stores.loc[stores["input"] != STREAM_INPUTS["poster"], "clips"]
    if len(clips):
        figures.append((count(clips.max()), "clips"))
    figures.append((count(len(stores)), "feature stores"))
    figures.append((count(remaining["evaluated"]), "movies evaluated by every run"))
    best = _best(tables["summary"])
    figures.append((f"{best['uap']:.1f} %", f"best µAP: {best['run']}"))
    return figures


def facts(settings: Settings) -> list[tuple[str, str]]:
    """The settings that matter most: name, value."""
    splits, clips, training = settings["splits"], settings["clips"], settings["training"]
    rows = [("movies", ", ".join(_sources(settings))), ("seed", str(settings["seed"]))]
    if _sources(settings) != [PUBLISHED]:
        rows += [
            ("shots and clips", f"{clips['detector']}; {clips['fpc']} frames at {clips['fps']}/s"),
            ("image backbones", f"frames averaged per clip: {settings['image_frames']}"),
        ]
    rows.append(
        (
            "splits",
            f"{splits['training']:.0%} training, {splits['validation']:.0%} validation, "
            f"{splits['test']:.0%} test; best of {splits['tries']} tries"
            if isinstance(splits, Mapping)
            else f"the authors' ({splits})",
        )
    )
    rows.append(
        (
            "training",
            f"at most {training['epochs']} epochs, batches of {training['batch']}, snippets of "
            f"{training['snippet']} clips, learning rate {training['lr']:g}",
        )
    )
    return rows


def version_grid(table: pd.DataFrame) -> Grid:
    """The rows of versions.csv."""
    rows = table.astype(object).fillna("").values.tolist()
    return Grid("The programs that made the data.", ["what", "made by"], rows)


def decision_words(table: pd.DataFrame) -> str:
    """The rows of curation.csv in a sentence or two."""
    if not len(table):
        return "There are no curation decisions."
    counts = table["decision"].value_counts()
    decisions = ", ".join(
        f"{name.replace('_', ' ')} {count(counts[name])}" for name in sorted(counts.index)
    )
    words = f"Movies with a decision: {count(len(table))} ({decisions})."
    if "verified" in table:
        verified = table["verified"].fillna("").astype(str).str.lower().isin(["true", "1", "yes"])
        words += (
            f" Verified trailers (accepted, and unchanged since then): {count(verified.sum())}."
        )
    return words


def flag_grid(table: pd.DataFrame) -> Grid:
    """The rows of flags.csv by flag, with one example of each."""
    rows = [
        [str(flag).replace("_", " "), count(len(rows)), rows.iloc[0]["mid"], rows.iloc[0]["words"]]
        for flag, rows in table.groupby("flag", sort=True)
    ]
    caption = "Trailers that a person should check, by flag, with one example of each."
    if not rows:
        caption = "No trailer has a flag."
    return Grid(caption, ["flag", "trailers", "example", "reason"], rows, frozenset({1}))


def trailer_words(table: pd.DataFrame) -> str:
    """The rows of measures.csv about trailers in a sentence."""
    measures = table.set_index("measure")
    if not measures.loc["clips", "movies"]:
        return "There are no trailers yet."
    medians = measures["median"]
    return (
        f"{count(measures.loc['duration', 'movies'])} trailers. The median trailer has "
        f"{medians['duration']:g} seconds, {medians['shots']:g} shots and "
        f"{medians['clips']:g} clips."
    )


def measure_grid(table: pd.DataFrame) -> Grid:
    """The rows of measures.csv."""
    columns = ["least", "lower_quartile", "median", "upper_quartile", "most", "mean"]
    rows = [
        [row["meaning"], count(row["movies"])]
        + [f"{row[name]:.6g}" if pd.notna(row[name]) else "" for name in columns]
        for row in table.to_dict("records")
    ]
    heads = ["measure", "movies", "minimum", "lower quartile", "median", "upper quartile"]
    caption = "Quartiles, extremes and means."
    return Grid(caption, [*heads, "maximum", "mean"], rows, frozenset(range(1, 8)))


def result_words(summary: pd.DataFrame) -> str:
    """How many runs there are, and how many agree with the paper."""
    runs = trained_runs(summary)
    words = f"{count(len(runs))} runs, each trained on every split."
    compared = runs[runs["paper_uap"].notna()] if "paper_uap" in runs else runs.iloc[:0]
    if len(compared):
        within = compared["uap_within"].map(_is_true).sum()
        words += (
            f" The paper reports {count(len(compared))} of them; in {count(within)} of these, µAP "
            "agrees within both standard deviations."
        )
    return words


def _is_true(cell: object) -> bool:
    """The value of a boolean cell; columns with empty cells are read as text."""
    return str(cell) == "True"


@dataclass(frozen=True)
class MetricCell:
    """One metric of a run: our value, the paper's value, and the difference; the latter two may be
    empty."""

    ours: str
    paper: str = ""
    difference: str = ""


@dataclass(frozen=True)
class ResultRow:
    """A row of the table of results; cells: of `METRICS`."""

    run: str
    weights: str
    untrained: bool
    cells: list[MetricCell]
    movies: str


def result_rows(summary: pd.DataFrame) -> list[ResultRow]:
    """The rows of summary.csv."""
    return [
        ResultRow(
            run=row["run"],
            weights=row["weights"] if isinstance(row["weights"], str) else "",
            untrained=is_untrained(row["pretrained"]),
            cells=[_metric_cell(row, metric) for metric in METRICS],
            movies=f"{row['movies']} of {row['of']}",
        )
        for row in summary.to_dict("records")
    ]


def _metric_cell(row: Mapping[str, Any], metric: str) -> MetricCell:
    ours = _with_deviation(row[metric], row[f"{metric}_sd"])
    if pd.isna(row.get(f"paper_{metric}")):
        return MetricCell(ours)
    sign = "=" if _is_true(row[f"{metric}_within"]) else "≠"
    return MetricCell(
        ours,
        _with_deviation(row[f"paper_{metric}"], row[f"paper_{metric}_sd"]),
        f"{row[f'{metric}_minus_paper']:+.2f} {sign}",
    )


def _with_deviation(mean: float, deviation: float) -> str:
    return f"{mean:.2f}" + (f" ± {deviation:.2f}" if pd.notna(deviation) else "")


def variant_grid(table: pd.DataFrame) -> Grid:
    """The rows of options.csv, as means over the splits."""
    means = 100 * table.groupby(["run", "option"], sort=False)[list(METRICS)].mean()
    rows = [
        [run, option, *(f"{value:.2f}" for value in row)]
        for (run, option), row in zip(means.index, means.to_numpy(), strict=True)
    ]
    heads = ["run", "variant", *METRIC_NAMES.values()]
    caption = "Evaluation variants of the same trained runs: means over the splits, in %."
    return Grid(caption, heads, rows, frozenset({2, 3, 4, 5}))


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
        (run, [GenreCell(f"{ap[genre]:.1f}", f"{ap[genre] / 100:.3f}") for genre in GENRES])
        for run, ap in columns.items()
    ]


@dataclass(frozen=True)
class RunMistakes:
    """The test movies with the highest loss of a run; first: a summary of the first of them."""

    run: str
    first: str
    grid: Grid


def mistakes(table: pd.DataFrame) -> list[RunMistakes]:
    """The rows of mistakes.csv by run."""
    table = table.astype(object).fillna("")
    runs = []
    for run, rows in table.groupby("run", sort=False):
        cells = [
            [
                row["title"] or row["mid"],
                row["mid"],
                f"{row['loss']:.3f}",
                row["genres"].replace("|", ", "),
                row["predicted"].replace("|", ", "),
            ]
            for row in rows.to_dict("records")
        ]
        grid = Grid(
            f"The test movies with the highest loss of {run}.",
            ["movie", "mid", "loss", "genres", "predicted"],
            cells,
            frozenset({2}),
        )
        runs.append(RunMistakes(str(run), f"{cells[0][0]}, loss {cells[0][2]}", grid))
    return runs
