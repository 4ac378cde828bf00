"""Colours, fonts and sizes of all charts.

Reads and writes nothing. Must not know what the charts show.
"""

from trailers12k.common.vocabulary import GENRES

WIDTH = 680
"""Pixels of a chart with its labels."""

INK, MUTED, RULE, PAPER = "#1c2127", "#57616c", "#d5dade", "#ffffff"

OURS, THEIRS, LOST, PALE = "#1f5fa8", "#b3541e", "#b8433a", "#a9bfd8"

CATEGORIES = {
    "#cc5468": "#f0909e",
    "#a08315": "#e6d27c",
    "#2f8fbf": "#86c9ee",
    "#882255": "#dd74aa",
    "#332288": "#a19af5",
    "#aa4499": "#dd8ed0",
    "#117733": "#58bd7a",
    "#6f7782": "#c3c9d0",
    "#2f9484": "#5fd0bd",
    "#7f7f22": "#c6c765",
}
"""Colours that remain distinct for colour-blind readers (after P. Tol's `muted`), on white, and
their counterparts on a dark page."""

GENRE_COLOURS = dict(zip(GENRES, CATEGORIES, strict=True))

DARK = CATEGORIES | {
    INK: "#e8ebee",
    MUTED: "#a7b1bb",
    RULE: "#39424b",
    PAPER: "#161b20",
    OURS: "#7fb4f2",
    THEIRS: "#f0a06a",
    LOST: "#f08d83",
    PALE: "#35506f",
    "#eef3f9": "#1d2732",
    "#0d3f78": "#a9d0ff",
}
"""Every colour of the charts -> its replacement on a dark page."""

FONT = "Liberation Sans, Arial, Helvetica, sans-serif"

CONFIG = {
    "font": FONT,
    "background": PAPER,
    # Room for the wider letters of a fallback font.
    "padding": {"left": 26, "right": 14, "top": 6, "bottom": 6},
    "view": {"stroke": None},
    "axis": {
        "labelColor": MUTED,
        "titleColor": MUTED,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "gridColor": RULE,
        "domainColor": RULE,
        "tickColor": RULE,
        "labelLimit": 260,
        "titlePadding": 8,
    },
    "axisY": {"domain": False, "ticks": False, "labelPadding": 8, "labelColor": INK},
    "axisX": {"domain": False, "ticks": False, "labelFlush": False},
    "axisBand": {"grid": False},
    "legend": {
        "orient": "top",
        "labelColor": INK,
        "titleColor": MUTED,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "symbolStrokeWidth": 2,
        "labelLimit": 220,
        "offset": 10,
        "columnPadding": 22,
    },
    "header": {"labelColor": INK, "labelFontSize": 12, "titleColor": MUTED},
    "text": {"color": INK},
    "rule": {"color": MUTED},
    "bar": {"color": OURS},
    "title": {"color": INK, "fontSize": 13, "anchor": "start", "fontWeight": "normal"},
}
