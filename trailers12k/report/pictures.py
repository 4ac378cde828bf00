"""The charts of the report with their headings, captions and descriptions.

Reads the run's tables; writes results/figures/. Must not know the page around the pictures.
"""

import re
from base64 import b64encode
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from altair.typing import ChartType

from trailers12k.common.vocabulary import CHANCE, FAILED, GENRES, OK
from trailers12k.report import charts, drawing, run_charts
from trailers12k.report.charts import HistogramAxis
from trailers12k.report.formatting import count, duration
from trailers12k.report.measures import FRACTIONAL
from trailers12k.report.run_charts import trained_runs


@dataclass(frozen=True)
class Grid:
    """A table of the page, as text. numbers: positions of the right-aligned columns."""

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Choice:
    """A control that sets a parameter of a chart to one of the options, or to several of them.

    signal: name of the parameter. initial: the selected option, where only one is possible.
    """

    signal: str
    options: Sequence[str]
    several: bool = False
    initial: str = ""


@dataclass(frozen=True)
class Picture:
    """A chart of the page, with its text.

    alt: describes the chart to readers who cannot see it. tables: keys of `page.TABLES`.
    """

    name: str
    heading: str
    chart: ChartType
    alt: str
    caption: str
    tables: Sequence[str]
    grid: Grid | None = None
    choice: Choice | None = None


@dataclass(frozen=True)
class Still:
    """A static image of a chart: a data URI, and its size in CSS pixels."""

    uri: str
    width: int
    height: int


def pictures_of(tables: Mapping[str, pd.DataFrame]) -> list[Picture]:
    """The pictures for which tables exist, in the order of the page."""
    pictures = [
        _funnel(tables["funnel"]),
        _genres(tables["genres"]),
        _cooccurrence(tables["cooccurrence"]),
    ]
    if "histograms" in tables:
        pictures += _histograms(tables["histograms"], tables["measures"])
    pictures += [
        _splits(tables["splits"]),
        _results(tables["summary"]),
        _run_genres(tables["summary"]),
        *_curves(tables),
    ]
    if "costs" in tables:
        pictures.append(_costs(tables["costs"]))
    return pictures


def draw(
    pictures: Iterable[Picture], folder: str | Path, existing: Container[str] = ()
) -> dict[str, Still]:
    """Writes every picture into `folder` as NAME.svg and NAME.png; name -> the SVG as an image.

    existing: names of pictures that another rule has drawn.
    """
    stills = {}
    for picture in pictures:
        if picture.name not in existing:
            drawing.save(picture.chart, Path(folder) / picture.name)
        data = (Path(folder) / f"{picture.name}.svg").read_bytes()
        stills[picture.name] = Still(
            f"data:image/svg+xml;base64,{b64encode(data).decode()}", *_size_of(data.decode())
        )
    return stills


def _size_of(svg: str) -> tuple[int, int]:
    size = re.search(r'<svg[^>]* width="([\d.]+)" height="([\d.]+)"', svg)
    if not size:
        raise ValueError("an SVG without a width and a height")
    return round(float(size[1])), round(float(size[2]))


def _funnel(table: pd.DataFrame) -> Picture:
    rows = [
        [charts.step_label(row), row["status"], count(row["movies"])]
        for row in table.to_dict("records")
    ]
    return Picture(
        "funnel",
        "Movies that remain after each step",
        charts.funnel(table),
        "Bars of the movies that remain after each step. " + funnel_words(table),
        "Red: lost to a failure. Grey: set aside. The ledger lists every movie with the original "
        "message.",
        ["funnel", "trailers", "ledger"],
        Grid("Movies after each step.", ["step", "status", "movies"], rows, frozenset({2})),
    )


def funnel_words(table: pd.DataFrame) -> str:
    """The rows of funnel.csv in a few sentences."""
    remaining = table[table["status"] == OK].set_index("step")["movies"]
    clauses = {
        "curation": "{} were kept by curation",
        "trailers": "{} have a complete trailer",
        "clips": "{} were cut into clips",
        "features": "{} are in the stores of every run",
        "evaluated": "{} were evaluated by every run",
    }
    parts = [
        clause.format(count(remaining[step]))
        for step, clause in clauses.items()
        if step in remaining
    ]
    losses = [
        f"{count(row['movies'])} {str(row['reason']).replace('_', ' ')} ({row['step']})"
        for row in table[table["status"] == FAILED].to_dict("records")
    ]
    return f"Of {count(remaining.iloc[0])} movies, {', '.join(parts[:-1])} and {parts[-1]}. " + (
        f"Lost: {', '.join(losses)}." if losses else "No movie was lost to a failure."
    )


def _genres(table: pd.DataFrame) -> Picture:
    rows = table.sort_values(["movies", "genre"], ascending=[False, True]).to_dict("records")
    numbers = ", ".join(f"{row['genre']} {count(row['movies'])}" for row in rows)
    cells = [
        [
            row["genre"],
            count(row["movies"]),
            f"{100 * row['share']:.1f} %",
            count(row["evaluated"]),
        ]
        for row in rows
    ]
    return Picture(
        "genres",
        "Movies per genre",
        charts.genres(table),
        f"Bars of the movies per genre: {numbers}.",
        "A movie has one or more genres. Inner bars: the movies that every run evaluated.",
        ["genres"],
        Grid(
            "Movies per genre.",
            ["genre", "movies", "share of all", "evaluated"],
            cells,
            frozenset({1, 2, 3}),
        ),
    )


def _cooccurrence(table: pd.DataFrame) -> Picture:
    names = list(table["genre"])
    pairs = [
        (int(table[other].iloc[row]), one, other)
        for row, one in enumerate(names)
        for other in names[row + 1 :]
    ]
    top = sorted(pairs, key=lambda pair: (-pair[0], pair[1:]))[:3]
    never = sum(number == 0 for number, _, _ in pairs)
    frequent = ", ".join(f"{one} with {other} {count(number)}" for number, one, other in top)
    return Picture(
        "cooccurrence",
        "Genres that occur together",
        charts.cooccurrence(table),
        f"A matrix of all pairs of genres. The most frequent: {frequent}. Of {len(pairs)} pairs, "
        f"{never} never occur.",
        "Movies with both genres. The uncoloured diagonal holds all movies with the genre.",
        ["cooccurrence"],
    )


MEASURE_PICTURES = {
    "year": ("year", "Years of the movies", "year"),
    "genres": ("genres_of", "Genres per movie", "genres of a movie"),
    "duration": ("duration", "Durations of the trailers", "seconds"),
    "shots": ("shots", "Shots per trailer", "shots"),
    "clips": ("clips", "Clips per trailer", "clips"),
}
"""Measure -> name of its picture, heading, title of the axis."""
NUMBER_FORMATS = {"year": "d"}
"""Years have no thousands separator."""


def _histograms(bins: pd.DataFrame, measures: pd.DataFrame) -> list[Picture]:
    pictures = []
    for row in measures.to_dict("records"):
        measure = row["measure"]
        rows = bins[bins["measure"] == measure]
        name, heading, title = MEASURE_PICTURES[measure]
        words = "No values."
        if len(rows):
            words = (
                f"{count(row['movies'])} movies; median {row['median']:g}, half of them "
                f"between {row['lower_quartile']:g} and {row['upper_quartile']:g}; from "
                f"{row['least']:g} to {row['most']:g}."
            )
        axis = HistogramAxis(title, measure not in FRACTIONAL, NUMBER_FORMATS.get(measure, ""))
        chart = charts.histogram(rows, axis)
        alt = f"A histogram: {words}"
        pictures.append(Picture(name, heading, chart, alt, words, ["histograms", "measures"]))
    return pictures


def _splits(table: pd.DataFrame) -> Picture:
    splits = []
    for name, rows in table.groupby("split", sort=False):
        sizes = ", ".join(
            f"{count(row['movies'])} {row['subset']}" for row in rows.to_dict("records")
        )
        first = rows.iloc[0]
        splits.append(
            f"{name}: {sizes}; label deviation {first['label_deviation']:.3f}, pair deviation "
            f"{first['pair_deviation']:.4f}"
        )
    return Picture(
        "splits",
        "Shares of the genres in the subsets",
        charts.balance(table),
        f"Points for each genre, subset and split, near one. {'. '.join(splits)}.",
        ". ".join(splits) + ". Each deviation is the largest of the three subsets.",
        ["splits"],
    )


def _results(summary: pd.DataFrame) -> Picture:
    runs = trained_runs(summary).to_dict("records")
    numbers = ", ".join(f"{row['run']} {row['uap']:.1f}" for row in runs)
    chance = summary.set_index("run").loc[CHANCE, "uap"]
    return Picture(
        "results",
        f"Every run beside {'the paper and chance' if 'paper_uap' in summary else 'chance'}",
        run_charts.results(summary),
        f"Points for each run. Mean µAP on the test movies, in %: {numbers}; chance {chance:.1f}.",
        "Mean and sample standard deviation over the splits.",
        ["summary"],
    )


def _run_genres(summary: pd.DataFrame) -> Picture:
    runs = trained_runs(summary)
    best = runs.loc[runs["map"].idxmax()]
    ranked = sorted(GENRES, key=lambda genre: -best[genre])
    numbers = ", ".join(f"{genre} {best[genre]:.1f}" for genre in ranked)
    return Picture(
        "run_genres",
        "One run by genre",
        run_charts.run_genres(summary),
        f"Points by genre. Average precision of {best['run']}, which has the highest mAP, in %: "
        f"{numbers}.",
        f"The selected run ({best['run']} without JavaScript), all other runs (pale) and chance "
        "(grey mark). Mean and sample standard deviation over the splits.",
        ["summary"],
        choice=Choice("run", list(runs["run"]), initial=best["run"]),
    )


def _curves(tables: Mapping[str, pd.DataFrame]) -> list[Picture]:
    pretrained = run_charts.pretrained_of(tables["tst"])
    recalls, losses = tables["precision_recall"], tables["learning"]
    middle = {run: recalls[run].iloc[50] for run in recalls}
    lowest = {run: (losses[run].min(), int(losses[run].idxmin())) for run in losses}
    choice = Choice("shown", list(recalls), several=True)
    return [
        Picture(
            "precision_recall",
            "Precision and recall",
            run_charts.precision_recall(recalls, pretrained),
            "A curve for each run. Precision at recall 0.5, in %: "
            + ", ".join(f"{run} {value:.1f}" for run, value in middle.items())
            + ".",
            "Over all pairs of test movie and genre; mean over the splits.",
            ["precision_recall"],
            choice=choice,
        ),
        Picture(
            "learning",
            "Learning curves",
            run_charts.learning(losses, pretrained),
            "A curve for each run. Lowest validation loss, and its epoch: "
            + ", ".join(f"{run} {value:.3f} ({epoch})" for run, (value, epoch) in lowest.items())
            + ".",
            "Validation loss; mean over the splits that still train, so that a curve may jump "
            "where a split stops.",
            ["learning"],
            choice=choice,
        ),
    ]


def _costs(table: pd.DataFrame) -> Picture:
    rows = [
        [
            row["rule"],
            count(row["jobs"]),
            duration(row["seconds"]),
            duration(row["cpu_seconds"]),
            f"{row['max_rss_mb']:,.0f} MB",
        ]
        for row in table.to_dict("records")
    ]
    return Picture(
        "costs",
        "Time and memory of each rule",
        charts.costs(table),
        "Bars for each rule. " + cost_words(table),
        "Summed over the last run of every job; jobs of one rule may have run in parallel. Rules "
        "with less than 0.2 % of the total time are only in the table.",
        ["costs"],
        Grid(
            "Jobs, time and memory of each rule.",
            ["rule", "jobs", "wall time", "CPU time", "peak memory of a job"],
            rows,
            frozenset({1, 2, 3, 4}),
        ),
    )


def cost_words(table: pd.DataFrame) -> str:
    """The rows of costs.csv in a sentence."""
    if not len(table):
        return "There are no benchmarks."
    largest = table.loc[table["max_rss_mb"].idxmax()]
    longest = table.iloc[0]
    return (
        f"{count(table['jobs'].sum())} jobs took {duration(table['seconds'].sum())}, and "
        f"{duration(table['cpu_seconds'].sum())} of CPU time. The longest rule was "
        f"{longest['rule']} with {duration(longest['seconds'])}; the largest job, one of "
        f"{largest['rule']}, used {largest['max_rss_mb']:,.0f} MB."
    )
