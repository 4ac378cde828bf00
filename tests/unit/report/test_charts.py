"""Charts draw every number of their tables, and do not rely on colours alone."""

import json
import re

import pandas as pd
import pytest

from trailers12k.common.vocabulary import GENRES
from trailers12k.report import charts, drawing, run_charts, theme

SECONDS = charts.HistogramAxis("seconds", integers=False)
FUNNEL = pd.DataFrame(
    [
        ("movies", "ok", None, 44),
        ("trailers", "failed", "not_video", 3),
        ("trailers", "ok", None, 41),
        ("test", "skipped", "in_no_test_subset", 23),
        ("test", "ok", None, 18),
    ],
    columns=["step", "status", "reason", "movies"],
)


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_have_the_contrast_that_wcag_requires(scheme):
    displayed = (lambda colour: colour) if scheme == "light" else theme.DARK.get
    paper = displayed(theme.PAPER)
    for colour in (theme.INK, theme.MUTED):
        assert contrast(displayed(colour), paper) > 4.5, colour
    strong = (theme.OURS, theme.THEIRS, theme.LOST, *charts.SUBSET_COLOURS.values())
    for colour in (*strong, *theme.CATEGORIES):
        assert contrast(displayed(colour), paper) > 3, colour


def test_every_colour_has_a_dark_counterpart():
    text = json.dumps(theme.CONFIG) + json.dumps([*theme.GENRE_COLOURS.values()])
    assert set(re.findall(r"#[0-9a-f]{6}", text)) <= theme.DARK.keys()
    assert len(set(theme.GENRE_COLOURS.values())) == len(GENRES)


def test_a_loss_ends_where_the_movies_before_it_end():
    rows = drawing.spec(charts.funnel(FUNNEL))["data"]["values"]
    assert [(row["from"], row["to"], row["outcome"]) for row in rows] == [
        (0, 44, "remaining"),
        (41, 44, "lost"),
        (0, 41, "remaining"),
        (18, 41, "left out"),
        (0, 18, "remaining"),
    ]
    assert rows[1]["label"] == "− not a video"


def test_the_bin_of_outliers_is_as_wide_as_the_others():
    table = pd.DataFrame(
        [("duration", 60, 70, 5), ("duration", 70, 80, 2), ("duration", 80, 900, 1)],
        columns=["measure", "from", "to", "movies"],
    )
    rows = drawing.spec(charts.histogram(table, SECONDS))["data"]["values"]
    assert [(row["from"], row["to"], row["words"]) for row in rows][1:] == [
        (70, 80, "70 to 80"),
        (80, 90, "80 and more"),
    ]
    assert sum(row["movies"] for row in rows) == 8


@pytest.mark.parametrize(
    "chart, words",
    [
        (charts.histogram(FUNNEL[:0], SECONDS), "no values"),
        (charts.costs(FUNNEL[:0]), "no benchmarks"),
    ],
)
def test_a_chart_without_data_says_so(chart, words, tmp_path):
    drawing.save(chart, tmp_path / "x")
    assert words in (tmp_path / "x.svg").read_text()


def test_years_are_written_without_a_thousands_separator():
    bins = pd.DataFrame([("year", 1999, 2000, 3)], columns=["measure", "from", "to", "movies"])
    axis = charts.HistogramAxis("year", number_format="d")
    encoding = drawing.spec(charts.histogram(bins, axis))["encoding"]
    assert encoding["x"]["axis"]["format"] == "d"


def test_axes_of_counts_and_epochs_have_whole_numbers():
    genres = pd.DataFrame([("drama", 7, 1)], columns=["genre", "movies", "evaluated"])
    for chart in (charts.funnel(FUNNEL), charts.genres(genres)):
        axis = drawing.spec(chart)["layer"][0]["encoding"]["x"]["axis"]
        assert axis["tickMinStep"] == 1 and axis["format"] == ",d"
    for epochs, ticks in ((3, [1, 2, 3]), (40, [1, 5, 10, 15, 20, 25, 30, 35, 40]), (1, [1])):
        table = pd.DataFrame({"a": 1.0}, index=pd.Index(range(1, epochs + 1), name="epoch"))
        encoding = drawing.spec(run_charts.learning(table, {"a": True}))["encoding"]
        assert encoding["x"]["axis"]["values"] == ticks


def test_the_legend_has_room_for_the_longest_name():
    names = ["a", "EfficientNet-Log-mel-early"]
    table = pd.DataFrame(dict.fromkeys(names, 1.0), index=pd.Index([1], name="epoch"))
    chart = drawing.spec(run_charts.learning(table, dict.fromkeys(names, True)))
    assert chart["usermeta"]["columns"]["width"] > 7 * len(names[1])


def test_the_chart_of_costs_shows_the_longest_rules_in_words():
    rows = [(f"rule{n}", 1, 4000.0 - n, 1.0, 2048.0) for n in range(20)]
    table = pd.DataFrame(rows, columns=["rule", "jobs", "seconds", "cpu_seconds", "max_rss_mb"])
    values = drawing.spec(charts.costs(table))["data"]["values"]
    assert {row["rule"] for row in values} == {f"rule{n}" for n in range(charts.LONGEST_RULES)}
    assert {row["text"] for row in values} == {"67\u00a0min", "2\u00a0GB"}


def test_lines_of_untrained_runs_are_dashed():
    table = pd.DataFrame({"a": [1.0, 2.0], "b": [2.0, 1.0]}, index=pd.Index([0, 1], name="recall"))
    pretrained = {"a": True, "b": False}
    chart = run_charts.precision_recall(table, pretrained)
    dashes = drawing.spec(chart)["encoding"]["strokeDash"]["scale"]
    assert dashes["domain"] == list(run_charts.WEIGHTS)
    text = drawing.svg(chart)
    assert "stroke-dasharray" in text and run_charts.WEIGHTS[1] in text


def test_pictures_load_nothing():
    places = pd.DataFrame({"mid": ["tt1", "tt2"], "x": [0.0, 1.0], "y": [1.0, 0.0]})
    text = drawing.svg(charts.embedding(places, {"tt1": "drama", "tt2": "horror"}))
    assert theme.GENRE_COLOURS["drama"] in text and theme.GENRE_COLOURS["horror"] in text
    assert re.findall(r'(?:href|src)="(?!#)', text) == []
