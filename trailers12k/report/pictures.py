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

from trailers12k.common.reason_words import phrase
from trailers12k.common.vocabulary import CHANCE, GENRES, OK
from trailers12k.evaluation.absence import listed
from trailers12k.evaluation.selection import best, figures_of
from trailers12k.report import charts, drawing, run_charts
from trailers12k.report.charts import HistogramAxis
from trailers12k.report.grid import Grid
from trailers12k.report.measures import FRACTIONAL, SHARES
from trailers12k.report.numbers import (
    count,
    counted,
    duration,
    memory,
    score,
    share,
)
from trailers12k.report.overview import losses
from trailers12k.report.run_charts import trained_runs
from trailers12k.report.sections import words_of


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
        _run_genres(tables["summary"], tables["val"]),
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
    return Picture(
        "funnel",
        "Movies that remain after each step",
        charts.funnel(table),
        "Bars of the movies that remain after each step. " + funnel_words(table),
        "Red bars are movies lost to a failure. Grey bars are movies left out, for example because "
        "no split tests them.",
        ["funnel", "trailers", "ledger"],
    )


def funnel_words(table: pd.DataFrame) -> str:
    """The rows of funnel.csv in a few sentences."""
    remaining = table[table["status"] == OK].set_index("step")["movies"]
    clauses = {
        "curation": ("passed the review", "passed the review"),
        "trailers": ("has a complete trailer", "have a complete trailer"),
        "features": (
            "has features in the stores of every run",
            "have features in the stores of every run",
        ),
        "test": ("is a test movie of at least one split", "are test movies of at least one split"),
    }
    parts = [
        f"{count(remaining[step])} {one if remaining[step] == 1 else many}"
        for step, (one, many) in clauses.items()
        if step in remaining
    ]
    lost = [
        f"{count(row['movies'])} {phrase(str(row['reason']))}"
        for row in losses(table).to_dict("records")
    ]
    words = f"Of {counted(remaining.iloc[0], 'movie')}, {listed(parts)}. "
    return words + (f"Lost: {', '.join(lost)}." if lost else "No movie was lost.")


def _genres(table: pd.DataFrame) -> Picture:
    rows = table.sort_values(["movies", "genre"], ascending=[False, True]).to_dict("records")
    numbers = ", ".join(f"{row['genre']} {count(row['movies'])}" for row in rows)
    cells = [
        [
            row["genre"],
            count(row["movies"]),
            share(row["share"]),
            count(row["evaluated"]),
        ]
        for row in rows
    ]
    return Picture(
        "genres",
        "Movies per genre",
        charts.genres(table),
        f"Bars of the movies per genre: {numbers}.",
        "A movie can have several genres. The inner bars count the test movies that every run "
        "evaluated.",
        ["genres"],
        Grid(
            "Movies per genre.",
            ["Genre", "Movies", "Share of all", "Evaluated"],
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
        "Each cell counts the movies with both genres. The diagonal counts all movies of a genre.",
        ["cooccurrence"],
    )


MEASURE_PICTURES = {
    "year": ("year", "Years of the movies", "year of release"),
    "genres": ("genres_of", "Genres per movie", "number of genres"),
    "duration": ("duration", "Durations of the trailers", "duration in seconds"),
    "shots": ("shots", "Shots per trailer", "number of shots"),
    "clips": ("clips", "Clips per trailer", "number of clips"),
    "loudness": ("loudness", "Loudness of the trailers", "integrated loudness in LUFS"),
    "silence": ("silence", "Silence in the trailers", "share of the trailer that is silent"),
    "speech": ("speech", "Speech in the trailers", "share of the trailer that is speech"),
}
"""Measure -> name of its picture, heading, title of the axis."""
QUANTILES = ("least", "lower_quartile", "median", "upper_quartile", "most")
"""Columns of measures.csv."""
NUMBER_FORMATS = {"year": "d"} | dict.fromkeys(SHARES, ".0%")
"""Years have no thousands separator."""


def _histograms(bins: pd.DataFrame, measures: pd.DataFrame) -> list[Picture]:
    pictures = []
    for row in measures.to_dict("records"):
        measure = row["measure"]
        rows = bins[bins["measure"] == measure]
        name, heading, title = MEASURE_PICTURES[measure]
        words = "No values."
        if len(rows):
            say = words_of(measure)
            words = _spread_words(*(say(row[name]) for name in QUANTILES))
        axis = HistogramAxis(title, measure not in FRACTIONAL, NUMBER_FORMATS.get(measure, ""))
        chart = charts.histogram(rows, axis)
        alt = f"A histogram: {words}"
        pictures.append(Picture(name, heading, chart, alt, words, ["histograms", "measures"]))
    return pictures


def _spread_words(low: str, lower: str, middle: str, upper: str, high: str) -> str:
    """The spread of a measure's values, from its quartiles and extremes in words."""
    if low == high:
        return f"All are {low}."
    half = f"are {lower}" if lower == upper else f"lie between {lower} and {upper}"
    return f"Median {middle}. Half of the values {half}, all are between {low} and {high}."


def _splits(table: pd.DataFrame) -> Picture:
    splits = [
        f"{name}: "
        + ", ".join(f"{count(row['movies'])} {row['subset']}" for row in rows.to_dict("records"))
        for name, rows in table.groupby("split", sort=False)
    ]
    return Picture(
        "splits",
        "How evenly the genres are divided",
        charts.balance(table),
        f"Points for each genre, subset and split. Movies: {'; '.join(splits)}.",
        "A point on the line at 1 is a genre that is as frequent in the subset as in all movies. "
        "At 2 it is twice as frequent.",
        ["splits"],
    )


def _results(summary: pd.DataFrame) -> Picture:
    runs = trained_runs(summary).to_dict("records")
    numbers = ", ".join(f"{row['run']} {score(row['uap'])}" for row in runs)
    chance = summary.set_index("run").loc[CHANCE, "uap"]
    return Picture(
        "results",
        f"Every run against {'the paper and chance' if 'paper_uap' in summary else 'chance'}",
        run_charts.results(summary),
        f"Points for each run. Mean µAP on the test movies, in %: {numbers}; "
        f"chance {score(chance)}.",
        _whisker_words(summary),
        ["summary", "intervals"],
    )


def _whisker_words(summary: pd.DataFrame) -> str:
    words = "A point is the mean over the splits."
    if run_charts.has_intervals(summary):
        words += " Its line is the 95 % interval over the test movies."
    if "paper_uap" in summary:
        words += " The paper's is one standard deviation to each side."
    return words


def _run_genres(summary: pd.DataFrame, val: pd.DataFrame) -> Picture:
    runs = trained_runs(summary).set_index("run", drop=False)
    chosen = runs.loc[best(figures_of(val.to_dict("records"), "map"), runs.index)]
    ranked = sorted(GENRES, key=lambda genre: -chosen[genre])
    numbers = ", ".join(f"{genre} {score(chosen[genre])}" for genre in ranked)
    return Picture(
        "run_genres",
        "One run by genre",
        run_charts.run_genres(summary, str(chosen["run"])),
        f"Points by genre. Average precision of {chosen['run']}, which has the highest mAP on the "
        f"validation movies, in %: {numbers}.",
        "The selected run is dark, all other runs are pale, and a grey mark is chance. A line is "
        "one standard deviation over the splits to each side.",
        ["summary"],
        choice=Choice("run", list(runs["run"]), initial=chosen["run"]),
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
            + ", ".join(f"{run} {score(value)}" for run, value in middle.items())
            + ".",
            "Each curve covers all pairs of a test movie and a genre, and is the mean over the "
            "splits. Higher is better.",
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
            "The loss on the validation movies after each epoch, as the mean over the splits that "
            "still train. A curve can jump where a split stops.",
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
            memory(row["max_rss_mb"]),
        ]
        for row in table.to_dict("records")
    ]
    return Picture(
        "costs",
        "Time and memory of the longest rules",
        charts.costs(table),
        "Bars for each rule. " + cost_words(table),
        f"The {charts.LONGEST_RULES} rules with the longest run time; the table has all of them. "
        "Times are sums over all jobs of a rule, which may have run side by side.",
        ["costs"],
        Grid(
            "Jobs, time and memory of each rule, from the last run of every job.",
            ["Rule", "Jobs", "Run time", "CPU time", "Memory"],
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
        f"All {counted(table['jobs'].sum(), 'job')} together ran for "
        f"{duration(table['seconds'].sum())}. The rule {longest['rule']} took the longest, "
        f"{duration(longest['seconds'])}. A job of {largest['rule']} needed the most memory, "
        f"{memory(largest['max_rss_mb'])}."
    )
