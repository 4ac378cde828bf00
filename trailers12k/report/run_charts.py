"""Charts that compare runs: results, curves, and average precision by genre.

Reads data frames. Must not know how the tables were made, nor pages.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from trailers12k.common.vocabulary import CHANCE, CONSTANT, GENRES, METRICS
from trailers12k.evaluation.differences import interval_of
from trailers12k.evaluation.rows import BASELINES
from trailers12k.evaluation.scores import is_untrained
from trailers12k.report.drawing import height_of, inline_data, label_width
from trailers12k.report.numbers import score, spread
from trailers12k.report.theme import CATEGORIES, MUTED, OURS, PALE, PAPER, THEIRS, WIDTH

PANELS = {"uap": "µAP (dashed line: chance)", "map": "mAP (dashed line: chance)"}
REFERENCE = "the paper"
WEIGHTS = ("pretrained weights", "untrained (random) weights")


def weights_kind(pretrained: object) -> str:
    """The one of `WEIGHTS` that a cell of a column `pretrained` stands for."""
    return WEIGHTS[is_untrained(pretrained)]


def pretrained_of(tst: pd.DataFrame) -> dict[str, object]:
    """Run -> its cell in the column `pretrained` of transfer/tst.csv."""
    return tst.groupby("run")["pretrained"].first().to_dict()


def trained_runs(summary: pd.DataFrame) -> pd.DataFrame:
    """The rows of summary.csv that are runs, without chance and without baselines of features."""
    return summary[~summary["run"].isin([CHANCE, CONSTANT]) & ~is_baseline(summary)]


def is_baseline(summary: pd.DataFrame) -> pd.Series:
    """Whether each row of summary.csv is a baseline of features."""
    return summary["classifier"].isin(BASELINES)


def has_intervals(summary: pd.DataFrame) -> bool:
    """Whether any row of summary.csv has a 95 % interval."""
    return any(interval_of(row, metric) for row in summary.to_dict("records") for metric in METRICS)


def results(summary: pd.DataFrame) -> alt.FacetChart:
    """Points of µAP and mAP of every run beside the paper's values, if any: rows of summary.csv.

    Whiskers are 95 % intervals, and of the paper one standard deviation to each side; dashed lines
    are chance. Points of runs on untrained weights are hollow, and the legend names them.
    """
    runs = trained_runs(summary)
    rows = _result_rows(summary)
    present = {row["what"] for row in rows}
    kinds = [kind for kind in (*WEIGHTS, REFERENCE) if kind in present]
    strokes = {WEIGHTS[0]: OURS, WEIGHTS[1]: OURS, REFERENCE: THEIRS}
    fills = {WEIGHTS[0]: OURS, WEIGHTS[1]: PAPER, REFERENCE: PAPER}
    shapes = {WEIGHTS[0]: "circle", WEIGHTS[1]: "circle", REFERENCE: "diamond"}

    def scale(values: Mapping[str, str]) -> alt.Scale:
        return alt.Scale(domain=kinds, range=[values[kind] for kind in kinds])

    def x(shorthand: str) -> alt.X:
        percent = alt.Scale(domain=[0, 100])
        axis = alt.Axis(tickCount=5)
        return alt.X(shorthand, scale=percent, title="score on the test movies, %", axis=axis)

    base = alt.Chart().encode(
        y=alt.Y("run:N", sort=list(runs["run"]), title=None),
        yOffset=alt.YOffset("offset:N", scale=alt.Scale(domain=["a", "b"], paddingOuter=0.6)),
        tooltip=[
            "run:N",
            "panel:N",
            "what:N",
            alt.Tooltip("text:N", title="mean ± sd"),
            alt.Tooltip("interval:N", title="95 % interval"),
        ],
    )
    stroke = alt.Stroke("what:N", scale=scale(strokes), title=None)
    whiskers = base.mark_rule(strokeWidth=1.5).encode(x=x("low:Q"), x2="high:Q", stroke=stroke)
    points = base.mark_point(size=70, opacity=1, strokeWidth=2).encode(
        x=x("mean:Q"),
        stroke=stroke,
        fill=alt.Fill("what:N", scale=scale(fills), title=None),
        shape=alt.Shape("what:N", scale=scale(shapes), title=None),
    )
    chance = alt.Chart().mark_rule(strokeDash=[5, 4], strokeWidth=1.2, color=MUTED)
    chance = chance.encode(x=x("mean(chance):Q"))
    chart = alt.layer(chance, whiskers, points, data=inline_data(rows)).properties(
        width=(WIDTH - 190) / 2, height=height_of(len(runs), 30 if REFERENCE in present else 24)
    )
    facet = alt.Facet("panel:N", title=None, sort=list(PANELS.values()))
    return chart.facet(facet=facet, columns=2, spacing=24).properties(
        usermeta={"panels": {"columns": 2, "beside": label_width(runs["run"])}}
    )


def _result_rows(summary: pd.DataFrame) -> list[dict[str, object]]:
    chance = summary.set_index("run").loc[CHANCE]
    rows: list[dict[str, object]] = []

    def add(row: Mapping[str, Any], metric: str, what: str) -> None:
        of_paper = what == REFERENCE
        name = f"paper_{metric}" if of_paper else metric
        mean, deviation = row[name], row[f"{name}_sd"]
        sd = deviation if pd.notna(deviation) else 0
        interval = None if of_paper else interval_of(row, metric)
        low, high = interval or ((mean - sd, mean + sd) if of_paper else (mean, mean))
        point = {"run": row["run"], "panel": PANELS[metric], "chance": chance[metric], "what": what}
        point |= {"mean": mean, "low": max(0, low), "high": min(100, high)}
        point |= {"offset": "b" if of_paper else "a", "text": f"{spread(mean, sd)} %"}
        point["interval"] = f"{score(low)} to {score(high)} %" if interval else "none"
        rows.append(point)

    for row in trained_runs(summary).to_dict("records"):
        for metric in PANELS:
            kind = weights_kind(row["pretrained"])
            add(row, metric, kind)
            if pd.notna(row.get(f"paper_{metric}")):
                add(row, metric, REFERENCE)
    return rows


def precision_recall(table: pd.DataFrame, pretrained: Mapping[str, object]) -> alt.Chart:
    """Lines of precision by recall of every run: curves/precision_recall.csv.

    pretrained: of `pretrained_of`. Lines of untrained runs are dashed, and the legend names them.
    """
    x = alt.X(
        "recall:Q", title="recall", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(tickCount=6)
    )
    y = alt.Y("precision:Q", title="precision, %", scale=alt.Scale(domain=[0, 100]))
    return _lines(_line_rows(table, pretrained, "recall", "precision"), list(table), x, y)


def learning(table: pd.DataFrame, pretrained: Mapping[str, object]) -> alt.Chart:
    """Lines of validation loss by epoch of every run: curves/learning.csv.

    pretrained: of `pretrained_of`. Lines of untrained runs are dashed, and the legend names them.
    """
    x = alt.X("epoch:Q", title="epoch", axis=alt.Axis(values=_whole_ticks(table.index), format="d"))
    y = alt.Y("loss:Q", title="validation loss")
    return _lines(_line_rows(table, pretrained, "epoch", "loss"), list(table), x, y)


def _whole_ticks(epochs: pd.Index) -> list[int]:
    """At most eight whole numbers that span the epochs."""
    last = int(epochs.max())
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, last) if last / step <= 8)
    return [1, *range(max(2, step), last + 1, step)]


def _line_rows(
    table: pd.DataFrame, pretrained: Mapping[str, object], x: str, y: str
) -> list[dict[str, object]]:
    return [
        {
            "run": run,
            x: float(place),
            y: round(float(value), 5),
            "weights": weights_kind(pretrained.get(run)),
        }
        for run in table
        for place, value in table[run].items()
        if pd.notna(value)
    ]


def _lines(
    rows: Sequence[Mapping[str, object]], runs: Sequence[str], x: alt.X, y: alt.Y
) -> alt.Chart:
    present = {row["weights"] for row in rows}
    dashes = {kind: dash for kind, dash in zip(WEIGHTS, ([1, 0], [6, 3]), strict=True)}
    dashes = {kind: dash for kind, dash in dashes.items() if kind in present}
    colours = list(CATEGORIES)
    # The report page sets this parameter to the runs that the reader selects.
    selected = alt.param(name="shown", value=list(runs))
    is_selected = "indexof(shown, datum.run) >= 0"
    line = alt.Chart(inline_data(rows)).mark_line(strokeWidth=2, clip=True)
    # The page has as many columns of the legend as fit: symbol, gap, and letters of 7 pixels.
    entry = 50 + 7 * max(map(len, runs), default=0)
    return (
        line.encode(
            x=x,
            y=y,
            color=alt.Color(
                "run:N",
                title=None,
                scale=alt.Scale(
                    domain=list(runs),
                    range=[colours[place % len(colours)] for place in range(len(runs))],
                ),
                legend=alt.Legend(columns=5, symbolType="stroke", orient="bottom"),
            ),
            strokeDash=alt.StrokeDash(
                "weights:N",
                title=None,
                scale=alt.Scale(domain=list(dashes), range=list(dashes.values())),
                legend=alt.Legend(symbolType="stroke", orient="top"),
            ),
            opacity=alt.condition(is_selected, alt.value(0.95), alt.value(0.08)),
            tooltip=["run:N", x.shorthand, y.shorthand, "weights:N"],
        )
        .add_params(selected)
        .properties(width=WIDTH - 60, height=330, usermeta={"columns": {"width": entry}})
    )


def curves(
    recalls: pd.DataFrame, losses: pd.DataFrame, pretrained: Mapping[str, object]
) -> alt.HConcatChart:
    """`precision_recall` and `learning` side by side."""
    left = precision_recall(recalls, pretrained).properties(
        width=420, title="test movies, mean over splits"
    )
    right = learning(losses, pretrained).properties(
        width=420, title="mean over the splits that still train"
    )
    # Both declare the parameter `shown`; a concatenated chart declares it once.
    params = left.params
    for chart in (left, right):
        chart.usermeta = alt.Undefined
        chart.params = alt.Undefined
    return alt.hconcat(left, right, spacing=40, params=params)


def run_genres(summary: pd.DataFrame, shown: str) -> alt.LayerChart | alt.FacetChart:
    """Points of the average precision by genre of one run among all others and chance.

    summary: rows of summary.csv. The parameter `run` selects the run, initially `shown`. Whiskers
    are the sample standard deviation over the splits.
    """
    rows = []
    drawn = summary[(summary["run"] != CONSTANT) & ~is_baseline(summary)]
    for row in drawn.to_dict("records"):
        for genre in GENRES:
            sd = row[f"{genre}_sd"] if pd.notna(row[f"{genre}_sd"]) else 0
            point = {"run": row["run"], "genre": genre, "ap": row[genre]}
            point |= {"low": max(0, row[genre] - sd), "high": min(100, row[genre] + sd)}
            rows.append(point | {"text": f"{spread(row[genre], sd)} %"})
    base = alt.Chart(inline_data(rows)).encode(
        y=alt.Y("genre:N", sort=list(GENRES), title=None),
        tooltip=["run:N", "genre:N", alt.Tooltip("text:N", title="average precision")],
    )
    percent = alt.Scale(domain=[0, 100])
    x = alt.X("ap:Q", title="average precision, %", scale=percent, axis=alt.Axis(tickCount=6))
    is_chance, is_selected = f"datum.run == '{CHANCE}'", "datum.run == run"
    others = base.mark_point(size=45, filled=True, opacity=1, color=PALE).encode(x=x)
    others = others.transform_filter(f"!({is_chance}) && !({is_selected})")
    chance = base.mark_tick(thickness=2, size=18, color=MUTED).encode(x=x)
    chance = chance.transform_filter(is_chance)
    whiskers = base.mark_rule(strokeWidth=2, color=OURS).encode(x=alt.X("low:Q"), x2="high:Q")
    point = base.mark_point(size=90, filled=True, opacity=1, color=OURS).encode(x=x)
    layers = [others, chance, *(each.transform_filter(is_selected) for each in (whiskers, point))]
    chart = alt.layer(*layers).add_params(alt.param(name="run", value=shown))
    return chart.properties(width=WIDTH - 100, height=height_of(len(GENRES)))
