"""The pictures of the report and their captions.

Reads the run's tables; writes results/figures/. Must not know the page around them.
"""

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from trailers12k.common.vocabulary import CHANCE, CONSTANT, GENRES
from trailers12k.report import charts as figures
from trailers12k.report import drawing
from trailers12k.report.formatting import (
    Table,
    _count,
    duration,
)


@dataclass(frozen=True)
class Grid:
    """A table of the page: words only. numbers: the columns that stand to the right."""

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: frozenset[int] = frozenset()


@dataclass
class Picture:
    """A chart of the page, with what is said of it.

    alt: what it shows, for who cannot see it. tables: names of `TABLES`. choices: of the chart's
    parameter `signal`; `several` of them at a time, or one, at first `chosen`.
    """

    name: str
    heading: str
    chart: drawing.Chart
    alt: str
    caption: str
    tables: Sequence[str]
    grid: Grid | None = None
    signal: str = ""
    choices: Sequence[str] = ()
    several: bool = False
    chosen: str = ""
    image: str = field(default="", init=False)
    width: int = field(default=0, init=False)
    height: int = field(default=0, init=False)


def pictures(tables: Mapping[str, Table]) -> list[Picture]:
    """The pictures of a run, in the order of the page, of those tables that are there."""
    found = [
        _funnel(tables["funnel"]),
        _genres(tables["genres"]),
        _cooccurrence(tables["cooccurrence"]),
    ]
    if "histograms" in tables:
        found += _histograms(tables["histograms"], tables["measures"])
    found += [_splits(tables["splits"]), _results(tables["summary"])]
    found += [_run_genres(tables["summary"]), *_curves(tables)]
    if "costs" in tables:
        found.append(_costs(tables["costs"]))
    return found


def _funnel(table: Table) -> Picture:
    rows = [
        [
            figures.LABELS.get(row["step"], row["step"])
            if row["status"] == "ok"
            else f"− {row['step']}: {row['reason']}",
            row["status"],
            _count(row["movies"]),
        ]
        for row in table.to_dict("records")
    ]
    return Picture(
        "funnel",
        "What is left of the movies, step by step",
        figures.funnel(table),
        "Bars of the movies left after each step. " + funnel_words(table),
        "Red is lost, grey is set aside; each row is named in the ledger, with its original words.",
        ["funnel", "trailers", "ledger"],
        Grid("Movies after each step.", ["step", "status", "movies"], rows, frozenset({2})),
    )


def funnel_words(table: Table) -> str:
    """The funnel in a few sentences."""
    left = table[table["status"] == "ok"].set_index("step")["movies"]
    words = [f"Of {_count(left.iloc[0])} movies, "]
    told = {
        "curation": "{} were kept by hand",
        "trailers": "{} have a whole trailer",
        "clips": "{} were cut into clips",
        "features": "{} are in the stores of every run",
        "evaluated": "{} were tested by every run",
    }
    parts = [text.format(_count(left[step])) for step, text in told.items() if step in left]
    words.append(", ".join(parts[:-1]) + f" and {parts[-1]}. ")
    lost = table[table["status"] == "failed"]
    reasons = [
        f"{_count(row['movies'])} {str(row['reason']).replace('_', ' ')} ({row['step']})"
        for row in lost.to_dict("records")
    ]
    words.append(f"Lost: {', '.join(reasons)}." if reasons else "None was lost to a failure.")
    return "".join(words)


def _genres(table: Table) -> Picture:
    rows = table.sort_values(["movies", "genre"], ascending=[False, True]).to_dict("records")
    told = ", ".join(f"{row['genre']} {_count(row['movies'])}" for row in rows)
    cells = [
        [
            row["genre"],
            _count(row["movies"]),
            f"{100 * row['share']:.1f} %",
            _count(row["evaluated"]),
        ]
        for row in rows
    ]
    return Picture(
        "genres",
        "Movies of each genre",
        figures.genres(table),
        f"Bars of the movies of each genre: {told}.",
        "A movie has one genre or several. Inside: the movies that every run was tested on.",
        ["genres"],
        Grid(
            "Movies of each genre.",
            ["genre", "movies", "share of all", "evaluated"],
            cells,
            frozenset({1, 2, 3}),
        ),
    )


def _cooccurrence(table: Table) -> Picture:
    names = list(table["genre"])
    pairs = [
        (int(table[other].iloc[row]), one, other)
        for row, one in enumerate(names)
        for other in names[row + 1 :]
    ]
    top = sorted(pairs, key=lambda pair: (-pair[0], pair[1:]))[:3]
    never = sum(count == 0 for count, _, _ in pairs)
    told = ", ".join(f"{one} with {other} {_count(count)}" for count, one, other in top)
    return Picture(
        "cooccurrence",
        "Genres that go together",
        figures.cooccurrence(table),
        f"A grid of all pairs of genres. The most frequent: {told}. Of {len(pairs)} pairs, {never} "
        "never occur.",
        "Movies that have both genres; on the diagonal, without a colour, all that have the one.",
        ["cooccurrence"],
    )


HEADINGS = {
    "year": ("year", "Years of the movies", "year"),
    "genres": ("genres_of", "Genres a movie has", "genres of a movie"),
    "duration": ("duration", "Duration of the trailers", "seconds"),
    "shots": ("shots", "Shots of a trailer", "shots"),
    "clips": ("clips", "Clips of a trailer", "clips"),
}


def _histograms(bars: Table, measures: Table) -> list[Picture]:
    found = []
    for row in measures.to_dict("records"):
        rows = bars[bars["measure"] == row["measure"]]
        name, heading, axis = HEADINGS[row["measure"]]
        words = "None is known."
        if len(rows):
            words = (
                f"{_count(row['movies'])} movies; median {row['median']:g}, half of them "
                f"between {row['lower_quartile']:g} and {row['upper_quartile']:g}; from "
                f"{row['least']:g} to {row['most']:g}."
            )
        chart = figures.histogram(rows, axis)
        alt = f"A histogram: {words}"
        found.append(Picture(name, heading, chart, alt, words, ["histograms", "measures"]))
    return found


def _splits(table: Table) -> Picture:
    told = []
    for name, rows in table.groupby("split", sort=False):
        sizes = ", ".join(
            f"{_count(row['movies'])} {row['subset']}" for row in rows.to_dict("records")
        )
        first = rows.iloc[0]
        told.append(
            f"{name}: {sizes}; label deviation {first['label_deviation']:.3f}, pair deviation "
            f"{first['pair_deviation']:.4f}"
        )
    return Picture(
        "splits",
        "How evenly genres are divided",
        figures.balance(table),
        f"Points for each genre, subset and split, around one. {'. '.join(told)}.",
        ". ".join(told) + ". Deviations: the largest of any subset.",
        ["splits"],
    )


def _trained(summary: Table) -> Table:
    return summary[~summary["run"].isin([CHANCE, CONSTANT])]


def _results(summary: Table) -> Picture:
    told = ", ".join(f"{r['run']} {r['uap']:.1f}" for r in _trained(summary).to_dict("records"))
    chance = summary.set_index("run").loc[CHANCE, "uap"]
    return Picture(
        "results",
        "Every run beside the paper and chance",
        figures.results(summary),
        f"Points for each run. Its mean µAP on the test movies, in %: {told}; chance {chance:.1f}.",
        "Mean over the splits, and the sample standard deviation to both sides.",
        ["summary"],
    )


def _run_genres(summary: Table) -> Picture:
    runs = _trained(summary)
    best = runs.loc[runs["map"].idxmax()]
    ranked = sorted(GENRES, key=lambda genre: -best[genre])
    told = ", ".join(f"{genre} {best[genre]:.1f}" for genre in ranked)
    return Picture(
        "run_genres",
        "One run, genre by genre",
        figures.run_genres(summary),
        f"Points by genre. Average precision of {best['run']}, which has the highest mAP, in %: "
        f"{told}.",
        f"The run that is chosen ({best['run']} where nothing can be) among all others, pale, and "
        "chance, the grey mark. Mean over the splits, and the sample standard deviation.",
        ["summary"],
        signal="run",
        choices=list(runs["run"]),
        chosen=best["run"],
    )


def _curves(tables: Mapping[str, Table]) -> list[Picture]:
    pretrained = figures.pretrained_of(tables["tst"])
    recall, losses = tables["precision_recall"], tables["learning"]
    middle = {run: recall[run].iloc[50] for run in recall}
    least = {run: (losses[run].min(), int(losses[run].idxmin())) for run in losses}
    common = {"signal": "shown", "choices": list(recall), "several": True}
    return [
        Picture(
            "precision_recall",
            "Precision and recall",
            figures.precision_recall(recall, pretrained),
            "A curve for each run. Precision at recall 0.5, in %: "
            + ", ".join(f"{run} {value:.1f}" for run, value in middle.items())
            + ".",
            "Over all pairs of test movie and genre; the mean over the splits.",
            ["precision_recall"],
            **common,
        ),
        Picture(
            "learning",
            "Learning curves",
            figures.learning(losses, pretrained),
            "A curve for each run. Lowest validation loss, and its epoch: "
            + ", ".join(f"{run} {value:.3f} ({epoch})" for run, (value, epoch) in least.items())
            + ".",
            "Validation loss; the mean over the splits that still train, so that a curve may jump "
            "where one of them stops.",
            ["learning"],
            **common,
        ),
    ]


def _costs(table: Table) -> Picture:
    rows = [
        [
            row["rule"],
            _count(row["jobs"]),
            duration(row["seconds"]),
            duration(row["cpu_seconds"]),
            f"{row['max_rss_mb']:,.0f} MB",
        ]
        for row in table.to_dict("records")
    ]
    return Picture(
        "costs",
        "What each rule's jobs took",
        figures.costs(table),
        "Bars for each rule. " + cost_words(table),
        "Summed over the jobs, when each last ran; jobs of one rule may have run side by side. "
        "Rules below a five-hundredth of all time are only in the table.",
        ["costs"],
        Grid(
            "Jobs, time and memory of each rule.",
            ["rule", "jobs", "wall time", "CPU time", "most memory of a job"],
            rows,
            frozenset({1, 2, 3, 4}),
        ),
    )


def cost_words(table: Table) -> str:
    """What all jobs took, in a sentence."""
    if not len(table):
        return "Nothing was measured here."
    most = table.loc[table["max_rss_mb"].idxmax()]
    return (
        f"{_count(table['jobs'].sum())} jobs took {duration(table['seconds'].sum())}, and "
        f"{duration(table['cpu_seconds'].sum())} of CPU; the longest was "
        f"{table['rule'].iloc[0]} with {duration(table['seconds'].iloc[0])}, the largest a job of "
        f"{most['rule']} with {most['max_rss_mb']:,.0f} MB."
    )


def draw(found: Sequence[Picture], folder: str | Path, drawn: Sequence[str] = ()) -> None:
    """Write every picture into `folder` as NAME.svg and NAME.png, but for those `drawn` already,
    and let it know its image."""
    for one in found:
        if one.name not in drawn:
            drawing.save(one.chart, Path(folder) / one.name)
        text = (Path(folder) / f"{one.name}.svg").read_text(encoding="utf-8")
        one.image = f"data:image/svg+xml;base64,{b64encode(text.encode()).decode()}"
        one.width, one.height = (
            round(float(size))
            for size in re.search(r'<svg[^>]* width="([\d.]+)" height="([\d.]+)"', text).groups()
        )
