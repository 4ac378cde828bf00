"""Pictures from tables, one way for all: a table becomes a chart, a chart an SVG and a PNG.

Reads data frames; writes pictures. Must not know how the tables were made, nor pages.
"""

import json
from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

from trailers12k.common.vocabulary import CHANCE, CONSTANT, GENRES
from trailers12k.evaluation.scores import is_untrained
from trailers12k.report.drawing import Chart
from trailers12k.report.theme import (
    CATEGORIES,
    GENRE_COLOURS,
    INK,
    LOST,
    MUTED,
    OURS,
    PALE,
    PAPER,
    THEIRS,
    WIDTH,
)

PANELS = {"uap": "µAP (dashed: chance)", "map": "mAP (dashed: chance)"}

SUBSETS = {"training": OURS, "validation": "#a08315", "test": "#2f9484"}
WEIGHTS = ("pretrained weights", "untrained (random) weights")
LABELS = {
    "movies": "movies of the sources",
    "curation": "kept by curation",
    "trailers": "trailers downloaded, whole",
    "clips": "cut into clips",
    "features": "features in every run's stores",
    "splits": "in the splits",
    "test": "in a test subset",
    "evaluated": "evaluated by every run",
}
"""What is left of the movies after each step of funnel.csv."""


def _table(rows: pd.DataFrame | Sequence[Mapping]) -> alt.Data:
    """Values within the chart."""
    frame = pd.DataFrame(rows)
    return alt.Data(values=json.loads(frame.to_json(orient="records")))


def _kind(pretrained: object) -> str:
    """Of a run's cell `pretrained`, which of the two `WEIGHTS` it has."""
    return WEIGHTS[is_untrained(pretrained)]


def nothing(words: str) -> Chart:
    """In the place of a picture that has nothing to show: why."""
    text = alt.Chart(_table([{"words": words}])).mark_text(fontSize=14, color=MUTED)
    return text.encode(text="words:N").properties(width=WIDTH - 60, height=60)


def _height(rows: int, step: int = 26) -> int:
    return max(3 * step, rows * step)


def funnel(table: pd.DataFrame) -> Chart:
    """From the movies of the sources to those every run was tested on: rows of funnel.csv."""
    rows, before = [], 0
    kinds = {"ok": "left", "failed": "lost", "skipped": "set aside"}
    for row in table.to_dict("records"):
        kept = row["status"] == "ok"
        end = row["movies"] if kept else before
        name = LABELS.get(row["step"], row["step"])
        label = name if kept else f"− {row['step']}: {str(row['reason']).replace('_', ' ')}"
        start = 0 if kept else before - row["movies"]
        rows.append(
            {
                "label": label,
                "from": start,
                "to": end,
                "movies": row["movies"],
                "what": kinds[row["status"]],
            }
        )
        before = row["movies"] if kept else start
    base = alt.Chart(_table(rows)).encode(
        y=alt.Y("label:N", sort=None, title=None, axis=alt.Axis(labelLimit=280))
    )
    bars = base.mark_bar(height=17, cornerRadius=2).encode(
        x=alt.X("from:Q", title="movies"),
        x2="to:Q",
        color=alt.Color(
            "what:N",
            title=None,
            scale=alt.Scale(domain=list(kinds.values()), range=[OURS, LOST, MUTED]),
        ),
        tooltip=["label:N", "movies:Q"],
    )
    text = base.mark_text(align="left", dx=6, fontSize=12).encode(
        x="to:Q", text=alt.Text("movies:Q", format=",")
    )
    return (bars + text).properties(width=WIDTH - 260, height=_height(len(rows), 24))


def genres(table: pd.DataFrame) -> Chart:
    """How many movies have each genre, and how many of those evaluated: rows of genres.csv."""
    long = [
        {"genre": row["genre"], "what": what, "movies": row[name]}
        for row in table.to_dict("records")
        for what, name in (("all", "movies"), ("evaluated by every run", "evaluated"))
    ]
    order = list(table.sort_values(["movies", "genre"], ascending=[False, True])["genre"])
    base = alt.Chart(_table(long)).encode(
        y=alt.Y("genre:N", title=None, sort=order), tooltip=["genre:N", "what:N", "movies:Q"]
    )
    colour = alt.Color(
        "what:N",
        title=None,
        scale=alt.Scale(domain=["all", "evaluated by every run"], range=[PALE, OURS]),
    )
    x = alt.X("movies:Q", title="movies", stack=None)
    wide = base.mark_bar(height=18, cornerRadius=2).encode(x=x, color=colour)
    wide = wide.transform_filter("datum.what == 'all'")
    thin = base.mark_bar(height=8, cornerRadius=2).encode(x=x, color=colour)
    thin = thin.transform_filter("datum.what != 'all'")
    text = base.mark_text(align="left", dx=6, fontSize=12).encode(
        x=x, text=alt.Text("movies:Q", format=",")
    )
    text = text.transform_filter("datum.what == 'all'")
    return (wide + thin + text).properties(width=WIDTH - 130, height=_height(len(table)))


def cooccurrence(table: pd.DataFrame) -> Chart:
    """How many movies have both of two genres: rows of cooccurrence.csv."""
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
    most = max([row["pair"] or 0 for row in rows] + [1])
    base = alt.Chart(_table(rows)).encode(
        x=alt.X("other:N", sort=names, title=None, axis=alt.Axis(orient="top", labelAngle=-45)),
        y=alt.Y("one:N", sort=names, title=None),
        tooltip=["one:N", "other:N", "movies:Q"],
    )
    cells = base.mark_rect(stroke=PAPER, strokeWidth=2).encode(color=_ramp("pair:Q", [0, most]))
    text = base.mark_text(fontSize=12).encode(
        text=alt.Text("movies:Q", format=","), color=_on_ramp("datum.pair", 0.35 * most)
    )
    return (cells + text).properties(width=WIDTH - 130, height=34 * len(names))


def _ramp(field: str, domain: Sequence[float]) -> alt.Color:
    """A sequential colour: pale to strong on white, and to bright on black."""
    scale = alt.Scale(domain=list(domain), range=["#eef3f9", OURS, "#0d3f78"], interpolate="rgb")
    return alt.Color(field, legend=None, scale=scale)


def _on_ramp(value: str, middle: float) -> alt.ExprRef | alt.Color:
    return alt.condition(f"{value} > {middle:g}", alt.value(PAPER), alt.value(INK))


def histogram(table: pd.DataFrame, title: str) -> Chart:
    """How many movies lie in each step of one measure: its rows of histograms.csv, in order.

    The last row may be wider: it holds what lies beyond all others, and is drawn as one step.
    """
    rows = table.to_dict("records")
    if not rows:
        return nothing("none is known")
    step = rows[0]["to"] - rows[0]["from"]
    # A whole number is a bar over its place.
    shift = 0.5 if step == 1 and table["measure"].iloc[0] != "duration" else 0
    shown = []
    for row in rows:
        words = f"{row['from']:g} to {row['to']:g}"
        if row["to"] - row["from"] > 1.01 * step:
            words = f"{row['from']:g} and more"
        elif shift:
            words = f"{row['from']:g}"
        start = row["from"] - shift
        told = {"from": start, "to": start + step, "zero": 0, "movies": row["movies"]}
        shown.append(told | {"words": words})
    form = {"format": "d"} if title.startswith("year") else {}
    axis = alt.Axis(grid=False, tickCount=6, tickMinStep=1 if shift else 0, **form)
    chart = alt.Chart(_table(shown)).mark_bar(
        cornerRadiusTopLeft=1.5, cornerRadiusTopRight=1.5, stroke=PAPER, strokeWidth=1
    )
    return chart.encode(
        x=alt.X("from:Q", title=title, scale=alt.Scale(zero=False, nice=False), axis=axis),
        x2="to:Q",
        y=alt.Y("zero:Q", title="movies", axis=alt.Axis(tickMinStep=1, tickCount=4)),
        y2="movies:Q",
        tooltip=[alt.Tooltip("words:N", title=title), "movies:Q"],
    ).properties(width=WIDTH - 60, height=170)


def results(summary: pd.DataFrame) -> Chart:
    """µAP and mAP of every run (rows of summary.csv), mean ± sd over splits, beside the paper's,
    and chance as a line. Runs on untrained weights are hollow, and the legend says so."""
    chance = summary.set_index("run").loc[CHANCE]
    runs = summary[~summary["run"].isin([CHANCE, CONSTANT])]
    rows = []
    for row in runs.to_dict("records"):
        for name, label in PANELS.items():
            common = {"run": row["run"], "panel": label, "chance": chance[name]}
            own = {"what": _kind(row["pretrained"]), "mean": row[name], "sd": row[f"{name}_sd"]}
            rows.append(common | own)
            if pd.notna(row.get(f"paper_{name}")):
                paper = {"mean": row[f"paper_{name}"], "sd": row[f"paper_{name}_sd"]}
                rows.append(common | paper | {"what": "the paper"})
    for row in rows:
        sd = row["sd"] if pd.notna(row["sd"]) else 0
        row |= {"low": max(0, row["mean"] - sd), "high": min(100, row["mean"] + sd)}
        row["offset"] = "b" if row["what"] == "the paper" else "a"
        row["told"] = f"{row['mean']:.2f} ± {sd:.2f} %"
    kinds = [*WEIGHTS, "the paper"]
    there = {row["what"] for row in rows}
    shown = [kind for kind in kinds if kind in there]
    looks = dict(zip(kinds, ((OURS, OURS), (PAPER, OURS), (PAPER, THEIRS)), strict=True))
    shapes = dict(zip(kinds, ("circle", "circle", "diamond"), strict=True))
    y = alt.Y("run:N", sort=list(runs["run"]), title=None)
    base = alt.Chart().encode(
        y=y,
        yOffset=alt.YOffset("offset:N", scale=alt.Scale(domain=["a", "b"], paddingOuter=0.6)),
        tooltip=["run:N", "panel:N", "what:N", alt.Tooltip("told:N", title="mean ± sd")],
    )
    strokes = alt.Scale(domain=shown, range=[looks[kind][1] for kind in shown])
    fills = alt.Scale(domain=shown, range=[looks[kind][0] for kind in shown])
    forms = alt.Scale(domain=shown, range=[shapes[kind] for kind in shown])
    x = {"scale": alt.Scale(domain=[0, 100]), "title": "% on the test movies"}
    x["axis"] = alt.Axis(tickCount=5)
    whiskers = base.mark_rule(strokeWidth=1.5).encode(
        x=alt.X("low:Q", **x), x2="high:Q", stroke=alt.Stroke("what:N", scale=strokes, title=None)
    )
    points = base.mark_point(size=70, opacity=1, strokeWidth=2).encode(
        x=alt.X("mean:Q", **x),
        stroke=alt.Stroke("what:N", scale=strokes, title=None),
        fill=alt.Fill("what:N", scale=fills, title=None),
        shape=alt.Shape("what:N", scale=forms, title=None),
    )
    line = alt.Chart().mark_rule(strokeDash=[5, 4], strokeWidth=1.2, color=MUTED)
    line = line.encode(x=alt.X("mean(chance):Q", **x))
    height = _height(len(runs), 30 if "the paper" in there else 24)
    chart = alt.layer(line, whiskers, points, data=_table(rows)).properties(
        width=(WIDTH - 190) / 2, height=height
    )
    facet = alt.Facet("panel:N", title=None, sort=list(PANELS.values()))
    return chart.facet(facet=facet, columns=2, spacing=24).properties(
        usermeta={"panels": {"columns": 2, "beside": 190}}
    )


def _colours(runs: Sequence[str]) -> alt.Scale:
    colours = list(CATEGORIES)
    return alt.Scale(
        domain=list(runs), range=[colours[n % len(colours)] for n, _ in enumerate(runs)]
    )


def _lines(table: pd.DataFrame, pretrained: Mapping[str, object], x: str, y: str) -> list[dict]:
    return [
        {
            "run": run,
            x: float(place),
            y: round(float(value), 5),
            "weights": _kind(pretrained.get(run)),
        }
        for run in table
        for place, value in table[run].items()
        if pd.notna(value)
    ]


def _curves(rows: list[dict], runs: Sequence[str], x: alt.X, y: alt.Y, height: int) -> Chart:
    there = {row["weights"] for row in rows}
    dashes = {kind: dash for kind, dash in zip(WEIGHTS, ([1, 0], [6, 3]), strict=True)}
    dashes = {kind: dash for kind, dash in dashes.items() if kind in there}
    dash = alt.Scale(domain=list(dashes), range=list(dashes.values()))
    # Which runs are strong is told by the page, where there is one.
    chosen = alt.param(name="shown", value=list(runs))
    strong = "indexof(shown, datum.run) >= 0"
    line = alt.Chart(_table(rows)).mark_line(strokeWidth=2, clip=True)
    return (
        line.encode(
            x=x,
            y=y,
            color=alt.Color(
                "run:N",
                title=None,
                scale=_colours(runs),
                legend=alt.Legend(columns=5, symbolType="stroke", orient="bottom"),
            ),
            strokeDash=alt.StrokeDash(
                "weights:N",
                title=None,
                scale=dash,
                legend=alt.Legend(symbolType="stroke", orient="top"),
            ),
            opacity=alt.condition(strong, alt.value(0.95), alt.value(0.08)),
            tooltip=["run:N", x.shorthand, y.shorthand, "weights:N"],
        )
        .add_params(chosen)
        .properties(width=WIDTH - 60, height=height, usermeta={"columns": {"width": 130}})
    )


def precision_recall(table: pd.DataFrame, pretrained: Mapping[str, object]) -> Chart:
    """Precision by recall of every run: curves/precision_recall.csv.

    pretrained: run -> its cell in transfer/tst.csv. Untrained runs are dashed; the legend says so.
    """
    x = alt.X(
        "recall:Q", title="recall", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(tickCount=6)
    )
    y = alt.Y("precision:Q", title="precision, %", scale=alt.Scale(domain=[0, 100]))
    return _curves(_lines(table, pretrained, "recall", "precision"), list(table), x, y, 330)


def learning(table: pd.DataFrame, pretrained: Mapping[str, object]) -> Chart:
    """Validation loss by epoch of every run: curves/learning.csv. pretrained: as above."""
    x = alt.X("epoch:Q", title="epoch", axis=alt.Axis(tickMinStep=1))
    y = alt.Y("loss:Q", title="validation loss")
    return _curves(_lines(table, pretrained, "epoch", "loss"), list(table), x, y, 330)


def curves(pr: pd.DataFrame, losses: pd.DataFrame, pretrained: Mapping[str, object]) -> Chart:
    """Precision-recall and learning curves beside each other."""
    charts = [
        chart.properties(width=420, title=title)
        for chart, title in (
            (precision_recall(pr, pretrained), "test movies, mean over splits"),
            (learning(losses, pretrained), "mean over the splits that still train"),
        )
    ]
    for chart in charts:
        chart.usermeta = alt.Undefined
    # One parameter for both.
    charts[1].params = alt.Undefined
    params, charts[0].params = charts[0].params, alt.Undefined
    return alt.hconcat(*charts, spacing=40, params=params)


def pretrained_of(tst: pd.DataFrame) -> dict[str, object]:
    """Run -> its cell in the column `pretrained` of transfer/tst.csv."""
    return tst.groupby("run")["pretrained"].first().to_dict()


def balance(splits: pd.DataFrame) -> Chart:
    """Of every split (rows of splits.csv), the share of each genre in each subset, relative to its
    share overall: points on the line at 1 are perfectly divided. Three splits a row."""
    genres = list(splits.columns[5:])
    heads = {}
    rows = []
    for row in splits.to_dict("records"):
        heads.setdefault(
            row["split"],
            f"{row['split']}: label {row['label_deviation']:.3f}, pair {row['pair_deviation']:.4f}",
        )
        rows += [
            {
                "split": heads[row["split"]],
                "subset": row["subset"],
                "genre": genre,
                "share": row[genre],
            }
            for genre in genres
        ]
    x = alt.X(
        "share:Q",
        title="share / share overall",
        scale=alt.Scale(zero=False, nice=True),
        axis=alt.Axis(tickCount=4),
    )
    base = alt.Chart()
    even = base.mark_rule(color=MUTED).encode(x=alt.datum(1, type="quantitative"))
    points = base.mark_point(size=42, opacity=1, filled=True).encode(
        x=x,
        y=alt.Y("genre:N", sort=genres, title=None),
        yOffset=alt.YOffset("subset:N", sort=list(SUBSETS)),
        color=alt.Color(
            "subset:N",
            title=None,
            scale=alt.Scale(domain=list(SUBSETS), range=list(SUBSETS.values())),
        ),
        shape=alt.Shape(
            "subset:N",
            title=None,
            scale=alt.Scale(domain=list(SUBSETS), range=["circle", "square", "diamond"]),
        ),
        tooltip=["split:N", "subset:N", "genre:N", "share:Q"],
    )
    chart = alt.layer(even, points, data=_table(rows)).properties(
        width=(WIDTH - 140) / 3, height=27 * len(genres)
    )
    facet = alt.Facet("split:N", title=None, sort=list(heads.values()))
    return chart.facet(facet=facet, columns=3, spacing=28).properties(
        usermeta={"panels": {"columns": 3, "beside": 110}}
    )


def run_genres(summary: pd.DataFrame) -> Chart:
    """Average precision by genre: of one run, with its deviation, among all others and chance.

    summary: rows of summary.csv. The run is the parameter `run`, at first the best by mAP.
    """
    runs = summary[~summary["run"].isin([CHANCE, CONSTANT])]
    best = runs.loc[runs["map"].idxmax(), "run"]
    rows = []
    for row in summary[summary["run"] != CONSTANT].to_dict("records"):
        for genre in GENRES:
            sd = row[f"{genre}_sd"] if pd.notna(row[f"{genre}_sd"]) else 0
            own = {"run": row["run"], "genre": genre, "ap": row[genre]}
            own |= {"low": max(0, row[genre] - sd), "high": min(100, row[genre] + sd)}
            rows.append(own | {"told": f"{row[genre]:.2f} ± {sd:.2f} %"})
    base = alt.Chart(_table(rows)).encode(
        y=alt.Y("genre:N", sort=list(GENRES), title=None),
        tooltip=["run:N", "genre:N", alt.Tooltip("told:N", title="average precision")],
    )
    x = alt.X("ap:Q", title="average precision, %", scale=alt.Scale(domain=[0, 100]))
    others = base.mark_point(size=45, filled=True, opacity=1, color=PALE).encode(x=x)
    others = others.transform_filter(f"datum.run != '{CHANCE}' && datum.run != run")
    chance = base.mark_tick(thickness=2, size=18, color=MUTED).encode(x=x)
    chance = chance.transform_filter(f"datum.run == '{CHANCE}'")
    whiskers = base.mark_rule(strokeWidth=2, color=OURS).encode(x=alt.X("low:Q"), x2="high:Q")
    point = base.mark_point(size=90, filled=True, opacity=1, color=OURS).encode(x=x)
    strong = [layer.transform_filter("datum.run == run") for layer in (whiskers, point)]
    chart = alt.layer(others, chance, *strong).add_params(alt.param(name="run", value=best))
    return chart.properties(width=WIDTH - 100, height=_height(len(GENRES)))


def costs(table: pd.DataFrame) -> Chart:
    """Time and memory of the jobs of each rule: rows of costs.csv, those that matter."""
    if not len(table):
        return nothing("nothing was measured here")
    total = table["seconds"].sum()
    table = table[table["seconds"] >= 0.002 * total]
    kinds = {
        "wall time, minutes": table["seconds"] / 60,
        "CPU time, minutes": table["cpu_seconds"] / 60,
        "most memory of a job, GB": table["max_rss_mb"] / 1024,
    }
    rows = [
        {"rule": rule, "what": what, "value": round(float(value), 3), "jobs": int(jobs)}
        for what, values in kinds.items()
        for rule, value, jobs in zip(table["rule"], values, table["jobs"], strict=True)
    ]
    base = alt.Chart().encode(
        y=alt.Y("rule:N", sort=list(table["rule"]), title=None),
        x=alt.X("value:Q", title=None, axis=alt.Axis(tickCount=3)),
        tooltip=["rule:N", "jobs:Q", "what:N", "value:Q"],
    )
    bars = base.mark_bar(height=13, cornerRadius=2)
    text = base.mark_text(align="left", dx=4, fontSize=11).encode(
        text=alt.Text("value:Q", format=".2~f")
    )
    chart = alt.layer(bars, text, data=_table(rows)).properties(
        width=(WIDTH - 220) / 3, height=_height(len(table), 22)
    )
    facet = alt.Facet("what:N", title=None, sort=list(kinds))
    return (
        chart.facet(facet=facet, columns=3, spacing=32)
        .resolve_scale(x="independent")
        .properties(usermeta={"panels": {"columns": 3, "beside": 190}})
    )


def feature_map(places: pd.DataFrame, first_genres: Mapping[str, str]) -> Chart:
    """The trailers of a store, those beside each other that are alike in it: rows of map/STORE.csv.

    first_genres: mid -> the genre that colours it.
    """
    rows = [
        {"x": round(row["x"], 3), "y": round(row["y"], 3), "genre": first_genres.get(row["mid"])}
        for row in places[["mid", "x", "y"]].to_dict("records")
    ]
    size = 60 if len(rows) <= 300 else 22 if len(rows) <= 3000 else 8
    colours = alt.Scale(domain=list(GENRE_COLOURS), range=list(GENRE_COLOURS.values()))
    bare = alt.Axis(labels=False, grid=False, title=None)
    tight = alt.Scale(zero=False)
    # By name, since altair looks at every value that it is given.
    chart = alt.Chart(alt.NamedData("places")).mark_circle(size=size, opacity=0.8, aria=False)
    chart = chart.encode(
        x=alt.X("x:Q", axis=bare, scale=tight),
        y=alt.Y("y:Q", axis=bare, scale=tight),
        color=alt.Color(
            "genre:N",
            title="first genre",
            scale=colours,
            legend=alt.Legend(orient="bottom", columns=5, symbolType="circle", symbolOpacity=1),
        ),
    ).properties(width=WIDTH - 20, height=WIDTH - 160)
    chart.datasets = {"places": rows}
    return chart
