"""Charts: every number of a table is drawn, and what is what can be told without colours."""

import json
import re

import pandas as pd
import pytest

from trailers12k.common.vocabulary import GENRES
from trailers12k.report import charts as figures
from trailers12k.report import drawing
from trailers12k.report import theme as theme_

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


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_can_be_seen(theme):
    shown = (lambda colour: colour) if theme == "light" else theme_.DARK.get
    paper = shown(theme_.PAPER)
    for colour in (theme_.INK, theme_.MUTED):
        assert contrast(shown(colour), paper) > 4.5, colour
    strong = (theme_.OURS, theme_.THEIRS, theme_.LOST, *figures.SUBSETS.values())
    for colour in (*strong, *theme_.CATEGORIES):
        assert contrast(shown(colour), paper) > 3, colour


def test_every_colour_has_a_dark_one():
    told = json.dumps(theme_.CONFIG) + json.dumps([*theme_.GENRE_COLOURS.values()])
    assert set(re.findall(r"#[0-9a-f]{6}", told)) <= theme_.DARK.keys()
    assert len(set(theme_.GENRE_COLOURS.values())) == len(GENRES)


def test_a_loss_stands_where_the_movies_were():
    rows = drawing.spec(figures.funnel(FUNNEL))["data"]["values"]
    assert [(row["from"], row["to"], row["what"]) for row in rows] == [
        (0, 44, "left"),
        (41, 44, "lost"),
        (0, 41, "left"),
        (18, 41, "set aside"),
        (0, 18, "left"),
    ]
    assert rows[1]["label"] == "− trailers: not video"


def test_what_lies_beyond_is_drawn_as_one_step():
    table = pd.DataFrame(
        [("duration", 60, 70, 5), ("duration", 70, 80, 2), ("duration", 80, 900, 1)],
        columns=["measure", "from", "to", "movies"],
    )
    rows = drawing.spec(figures.histogram(table, "seconds"))["data"]["values"]
    assert [(row["from"], row["to"], row["words"]) for row in rows][1:] == [
        (70, 80, "70 to 80"),
        (80, 90, "80 and more"),
    ]
    assert sum(row["movies"] for row in rows) == 8


@pytest.mark.parametrize("chart", [figures.histogram(FUNNEL[:0], "x"), figures.costs(FUNNEL[:0])])
def test_where_nothing_is_known_the_picture_says_so(chart, tmp_path):
    drawing.save(chart, tmp_path / "x")
    assert "nothing was measured" in drawing.svg(chart) or "none is known" in drawing.svg(chart)


def test_untrained_runs_are_told_by_more_than_a_colour():
    table = pd.DataFrame({"a": [1.0, 2.0], "b": [2.0, 1.0]}, index=pd.Index([0, 1], name="recall"))
    pretrained = {"a": True, "b": False}
    told = drawing.spec(figures.precision_recall(table, pretrained))
    assert told["encoding"]["strokeDash"]["scale"]["domain"] == list(figures.WEIGHTS)
    text = drawing.svg(figures.precision_recall(table, pretrained))
    assert "stroke-dasharray" in text and figures.WEIGHTS[1] in text


def test_pictures_ask_for_nothing():
    places = pd.DataFrame({"mid": ["tt1", "tt2"], "x": [0.0, 1.0], "y": [1.0, 0.0]})
    text = drawing.svg(figures.feature_map(places, {"tt1": "drama", "tt2": "horror"}))
    assert theme_.GENRE_COLOURS["drama"] in text and theme_.GENRE_COLOURS["horror"] in text
    assert re.findall(r'(?:href|src)="(?!#)', text) == []
