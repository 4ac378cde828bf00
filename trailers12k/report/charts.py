"""Charts of movies, trailers, splits and costs, from tables.

Reads data frames; `plot_splits` reads a table and writes pictures. Must not know how the tables
were made, nor pages.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import altair as alt
import pandas as pd

from trailers12k.common.reason_words import phrase
from trailers12k.common.vocabulary import OK
from trailers12k.evaluation.frames import read_balance
from trailers12k.report.drawing import height_of, inline_data, label_width, message, save
from trailers12k.report.numbers import duration, memory
from trailers12k.report.theme import (
    GENRE_COLOURS,
    INK,
    LOST,
    MUTED,
    OURS,
    PALE,
    PAPER,
    WIDTH,
)

SUBSET_COLOURS = {"training": OURS, "validation": "#a08315", "test": "#2f9484"}
WHOLE = alt.Axis(tickMinStep=1, tickCount=5, format=",d", labelOverlap="greedy")
"""An axis of whole numbers."""
COUNTS = alt.Axis(tickMinStep=1, tickCount=4, format=",d")
"""A vertical one."""
NARROWEST_SHARES = 0.1
"""Range that a histogram of shares shows at least."""
LONGEST_RULES = 8
"""Rules in the chart of costs."""
STEP_LABELS = {
    "movies": "movies of the sources",
    "curation": "passed the review",
    "trailers": "with a complete trailer",
    "clips": "cut into clips",
    "features": "with features for every run",
    "splits": "in the splits",
    "test": "test movies of any split",
    "evaluated": "evaluated by every run",
}
"""Step of funnel.csv -> description of the movies that remain after it."""
OUTCOMES = {"ok": "remaining", "failed": "lost", "skipped": "left out"}
"""Status in funnel.csv -> entry of the legend."""


def funnel(table: pd.DataFrame) -> alt.LayerChart:
    """Bars from the movies of the sources to those every run evaluated: rows of funnel.csv."""
    rows, before = [], 0
    for label, row in zip(_step_labels(table), table.to_dict("records"), strict=True):
        remaining = row["status"] == OK
        start = 0 if remaining else before - row["movies"]
        rows.append(
            {
                "label": label,
                "from": start,
                "to": row["movies"] if remaining else before,
                "movies": row["movies"],
                "outcome": OUTCOMES[row["status"]],
            }
        )
        before = row["movies"] if remaining else start
    base = alt.Chart(inline_data(rows)).encode(
        y=alt.Y("label:N", sort=None, title=None, axis=alt.Axis(labelLimit=280))
    )
    bars = base.mark_bar(height=17, cornerRadius=2).encode(
        x=alt.X("from:Q", title="movies", axis=WHOLE),
        x2="to:Q",
        color=alt.Color(
            "outcome:N",
            title=None,
            scale=alt.Scale(domain=list(OUTCOMES.values()), range=[OURS, LOST, MUTED]),
        ),
        tooltip=["label:N", "movies:Q"],
    )
    text = base.mark_text(align="left", dx=6, fontSize=12).encode(
        x="to:Q", text=alt.Text("movies:Q", format=",")
    )
    return (bars + text).properties(width=WIDTH - 260, height=height_of(len(rows), 24))


def step_label(row: Mapping[str, object]) -> str:
    """The label of a row of funnel.csv: a step, or a loss with its reason."""
    if row["status"] == OK:
        return STEP_LABELS.get(str(row["step"]), str(row["step"]))
    return f"− {phrase(str(row['reason']))}"


def _step_labels(table: pd.DataFrame) -> list[str]:
    """The labels of funnel.csv's rows; equal ones would share a bar, so they also say the step."""
    rows = table.to_dict("records")
    labels = [step_label(row) for row in rows]
    return [
        f"{label} ({row['step']}, {OUTCOMES[row['status']]})" if labels.count(label) > 1 else label
        for label, row in zip(labels, rows, strict=True)
    ]


def genres(table: pd.DataFrame) -> alt.LayerChart | alt.FacetChart:
    """Bars of the movies per genre, and of those evaluated by every run: rows of genres.csv."""
    evaluated = "evaluated by every run"
    rows = [
        {"genre": row["genre"], "which": which, "movies": row[column]}
        for row in table.to_dict("records")
        for which, column in (("all", "movies"), (evaluated, "evaluated"))
    ]
    order = list(table.sort_values(["movies", "genre"], ascending=[False, True])["genre"])
    base = alt.Chart(inline_data(rows)).encode(
        y=alt.Y("genre:N", title=None, sort=order), tooltip=["genre:N", "which:N", "movies:Q"]
    )
    colour = alt.Color(
        "which:N", title=None, scale=alt.Scale(domain=["all", evaluated], range=[PALE, OURS])
    )
    x = alt.X("movies:Q", title="movies", stack=None, axis=WHOLE)
    is_all = "datum.which == 'all'"
    wide = base.mark_bar(height=18, cornerRadius=2).encode(x=x, color=colour)
    narrow = base.mark_bar(height=8, cornerRadius=2).encode(x=x, color=colour)
    text = base.mark_text(align="left", dx=6, fontSize=12).encode(
        x=x, text=alt.Text("movies:Q", format=",")
    )
    layers = (
        wide.transform_filter(is_all),
        narrow.transform_filter(f"!({is_all})"),
        text.transform_filter(is_all),
    )
    return alt.layer(*layers).properties(width=WIDTH - 130, height=height_of(len(table)))


def cooccurrence(table: pd.DataFrame) -> alt.LayerChart | alt.FacetChart:
    """A matrix of the movies that have both of two genres: rows of cooccurrence.csv."""
    names = list(table["genre"])
    rows = [
        {
            "one": one,
            "other": other,
            "movies": int(row[other]),
            "pair": None if one == other else int(row[other]),
        }
        for one, row in zip(names, table.to_dict("records"), strict=True)
        for other in names
    ]
    largest = max([row["pair"] or 0 for row in rows] + [1])
    base = alt.Chart(inline_data(rows)).encode(
        x=alt.X("other:N", sort=names, title=None, axis=alt.Axis(orient="top", labelAngle=-45)),
        y=alt.Y("one:N", sort=names, title=None),
        tooltip=["one:N", "other:N", "movies:Q"],
    )
    # Pale to strong on white; the theme replaces the ends on a dark page.
    ramp = alt.Scale(domain=[0, largest], range=["#eef3f9", OURS, "#0d3f78"], interpolate="rgb")
    cells = base.mark_rect(stroke=PAPER, strokeWidth=2).encode(
        color=alt.Color("pair:Q", legend=None, scale=ramp)
    )
    text = base.mark_text(fontSize=12).encode(
        text=alt.Text("movies:Q", format=","),
        color=alt.condition(f"datum.pair > {0.35 * largest:g}", alt.value(PAPER), alt.value(INK)),
    )
    return (cells + text).properties(width=WIDTH - 130, height=34 * len(names))


@dataclass(frozen=True)
class HistogramAxis:
    """The horizontal axis of a histogram.

    integers: the values are whole numbers; a bar of width 1 is centred on its number.
    number_format: of the labels, in the notation of d3-format; empty for the default.
    """

    title: str
    integers: bool = True
    number_format: str = ""


def histogram(table: pd.DataFrame, axis: HistogramAxis) -> alt.Chart:
    """Bars of the movies per bin of one measure: its rows of histograms.csv, in order.

    The last bin may be wider, since it holds the outliers; it is drawn as wide as the others.
    """
    bins = table.to_dict("records")
    if not bins:
        return message("no values")
    width = bins[0]["to"] - bins[0]["from"]
    offset = 0.5 if width == 1 and axis.integers else 0
    rows = []
    for row in bins:
        words = f"{row['from']:g} to {row['to']:g}"
        if row["to"] - row["from"] > 1.01 * width:
            words = f"{row['from']:g} and more"
        elif offset:
            words = f"{row['from']:g}"
        start = row["from"] - offset
        bar = {"from": start, "to": start + width, "zero": 0, "movies": row["movies"]}
        rows.append(bar | {"words": words})
    labels = alt.Axis(
        grid=False,
        tickCount=6,
        tickMinStep=1 if offset else 0.01 if axis.number_format.endswith("%") else 0,
        format=axis.number_format or alt.Undefined,
    )
    chart = alt.Chart(inline_data(rows)).mark_bar(
        cornerRadiusTopLeft=1.5, cornerRadiusTopRight=1.5, stroke=PAPER, strokeWidth=1
    )
    scale = alt.Scale(zero=False, nice=False)
    if axis.number_format.endswith("%"):  # else a single bar fills the chart
        scale.domain = [0, max(NARROWEST_SHARES, *(row["to"] for row in rows))]
    return chart.encode(
        x=alt.X("from:Q", title=axis.title, scale=scale, axis=labels),
        x2="to:Q",
        y=alt.Y("zero:Q", title="movies", axis=COUNTS),
        y2="movies:Q",
        tooltip=[alt.Tooltip("words:N", title=axis.title), "movies:Q"],
    ).properties(width=WIDTH - 60, height=170)


def plot_splits(table: str | Path, stem: str | Path) -> None:
    """Draws `balance` of results/splits.csv into STEM.svg and STEM.png."""
    save(balance(read_balance(table)), stem)


def split_label(name: object) -> str:
    """The heading of a split: `split0` as `Split 0`, `ours0` as `Ours 0`."""
    return re.sub(r"(?<=\D)(?=\d+$)", " ", str(name)).capitalize()


def balance(splits: pd.DataFrame) -> alt.FacetChart:
    """Points of each genre's share in each subset of every split, relative to its share overall.

    splits: rows of splits.csv, whose columns after the first six are genres. A point at 1 is a
    subset with exactly the overall share. Three splits a row.
    """
    genres = list(splits.columns[6:])
    headings = {name: split_label(name) for name in splits["split"].unique()}
    rows = [
        {
            "split": headings[row["split"]],
            "subset": row["subset"],
            "genre": genre,
            "share": row[genre],
        }
        for row in splits.to_dict("records")
        for genre in genres
    ]
    subsets = list(SUBSET_COLOURS)
    x = alt.X(
        "share:Q",
        title="frequency, 1 is even",
        scale=alt.Scale(zero=False, nice=True),
        axis=alt.Axis(tickCount=4),
    )
    base = alt.Chart()
    even = base.mark_rule(color=MUTED).encode(x=alt.datum(1, type="quantitative"))
    points = base.mark_point(size=42, opacity=1, filled=True).encode(
        x=x,
        y=alt.Y("genre:N", sort=genres, title=None),
        yOffset=alt.YOffset("subset:N", sort=subsets),
        color=alt.Color(
            "subset:N",
            title=None,
            scale=alt.Scale(domain=subsets, range=list(SUBSET_COLOURS.values())),
        ),
        shape=alt.Shape(
            "subset:N",
            title=None,
            scale=alt.Scale(domain=subsets, range=["circle", "square", "diamond"]),
        ),
        tooltip=["split:N", "subset:N", "genre:N", "share:Q"],
    )
    chart = alt.layer(even, points, data=inline_data(rows)).properties(
        width=(WIDTH - 140) / 3, height=27 * len(genres)
    )
    facet = alt.Facet("split:N", title=None, sort=list(headings.values()))
    return chart.facet(facet=facet, columns=3, spacing=28).properties(
        usermeta={"panels": {"columns": 3, "beside": 110}}
    )


def costs(table: pd.DataFrame) -> alt.Chart | alt.FacetChart:
    """Bars of time and memory of the longest rules: rows of costs.csv, the longest first."""
    if not len(table):
        return message("no benchmarks")
    table = table.head(LONGEST_RULES)
    quantities = {
        "run time of all jobs": (table["seconds"], duration),
        "largest memory of a job": (table["max_rss_mb"], memory),
    }
    rows = [
        {"rule": rule, "what": what, "value": float(value), "text": say(value)}
        | {"jobs": int(jobs), "room": 1.35 * float(values.max())}
        for what, (values, say) in quantities.items()
        for rule, value, jobs in zip(table["rule"], values, table["jobs"], strict=True)
    ]
    base = alt.Chart().encode(
        y=alt.Y("rule:N", sort=list(table["rule"]), title=None),
        x=alt.X("value:Q", title=None, axis=None, scale=alt.Scale(nice=False)),
        tooltip=["rule:N", "jobs:Q", "what:N", alt.Tooltip("text:N", title="value")],
    )
    bars = base.mark_bar(height=15, cornerRadius=2)
    text = base.mark_text(align="left", dx=5, fontSize=12).encode(text="text:N")
    room = base.mark_point(opacity=0).encode(x="room:Q")  # for the text after the longest bar
    chart = alt.layer(bars, text, room, data=inline_data(rows)).properties(
        width=(WIDTH - 210) / 2, height=height_of(len(table), 25)
    )
    facet = alt.Facet("what:N", title=None, sort=list(quantities))
    return (
        chart.facet(facet=facet, columns=2, spacing=28)
        .resolve_scale(x="independent")
        .properties(usermeta={"panels": {"columns": 2, "beside": label_width(table["rule"])}})
    )


def embedding(places: pd.DataFrame, first_genres: Mapping[str, str]) -> alt.Chart:
    """Points of a store's movies on a plane, similar movies near each other: rows of map/STORE.csv.

    first_genres: mid -> the genre that gives the point its colour.
    """
    rows: Sequence[Mapping[str, object]] = [
        {"x": round(row["x"], 3), "y": round(row["y"], 3), "genre": first_genres.get(row["mid"])}
        for row in places[["mid", "x", "y"]].to_dict("records")
    ]
    size = 60 if len(rows) <= 300 else 22 if len(rows) <= 3000 else 8
    colours = alt.Scale(domain=list(GENRE_COLOURS), range=list(GENRE_COLOURS.values()))
    no_labels = alt.Axis(labels=False, grid=False, title=None)
    tight = alt.Scale(zero=False)
    # Named data, because altair inspects every value of inline data.
    chart = alt.Chart(alt.NamedData("places")).mark_circle(size=size, opacity=0.8, aria=False)
    chart = chart.encode(
        x=alt.X("x:Q", axis=no_labels, scale=tight),
        y=alt.Y("y:Q", axis=no_labels, scale=tight),
        color=alt.Color(
            "genre:N",
            title="first genre",
            scale=colours,
            legend=alt.Legend(orient="bottom", columns=5, symbolType="circle", symbolOpacity=1),
        ),
    ).properties(width=WIDTH - 20, height=WIDTH - 160)
    chart.datasets = {"places": rows}
    return chart
