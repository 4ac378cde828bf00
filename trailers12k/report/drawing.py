"""Writes charts as SVG, PNG and Vega-Lite; holds what all charts share.

Reads data frames; writes pictures. Must not know what the charts show.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd
import vl_convert
from altair.typing import ChartType
from PIL import Image

from trailers12k.common.files import replacing, write_text
from trailers12k.report.theme import CONFIG, MUTED, WIDTH

VEGA_LITE = alt.SCHEMA_VERSION.removeprefix("v").rsplit(".", 1)[0]

BUNDLE_SNIPPET = "window.vegaEmbed = vegaEmbed;"
"""Makes vegaEmbed, a module of the bundle, visible to the other scripts of a page."""


def save(chart: ChartType, stem: str | Path) -> None:
    """Writes STEM.svg and STEM.png; equal charts give equal bytes."""
    write_text(f"{stem}.svg", svg(chart))
    data = vl_convert.vegalite_to_png(spec(chart), VEGA_LITE, scale=2)
    with replacing(f"{stem}.png") as partial, Image.open(BytesIO(data)) as picture:
        # Without an alpha channel, and optimised, the file has a third of the bytes.
        picture.convert("RGB").save(partial, "PNG", optimize=True)


def svg(chart: ChartType) -> str:
    """The chart as SVG."""
    text = vl_convert.vegalite_to_svg(spec(chart), VEGA_LITE)
    # vl-convert numbers clip paths across all charts of a process; equal charts would differ.
    names = dict.fromkeys(re.findall(r' id="(clip\d+)"', text))
    for place, name in enumerate(names):
        text = text.replace(f' id="{name}"', f' id="clip-{place}"')
        text = text.replace(f"url(#{name})", f"url(#clip-{place})")
    return text


def spec(chart: ChartType) -> dict[str, Any]:
    """The chart as a Vega-Lite specification with the theme of this package."""
    # Validating a chart of 12,000 points takes longer than everything else.
    return chart.to_dict(validate=False) | {"config": CONFIG}


def javascript() -> str:
    """The JavaScript libraries that draw a `spec` in a browser; defines `vegaEmbed`."""
    return vl_convert.javascript_bundle(BUNDLE_SNIPPET)


def inline_data(rows: pd.DataFrame | Sequence[Mapping[str, object]]) -> alt.Data:
    """Rows embedded in the chart."""
    frame = pd.DataFrame(rows)
    return alt.Data(values=json.loads(frame.to_json(orient="records")))


def message(words: str) -> alt.Chart:
    """A placeholder for a chart without data, which says why it is empty."""
    text = alt.Chart(inline_data([{"words": words}])).mark_text(fontSize=14, color=MUTED)
    return text.encode(text="words:N").properties(width=WIDTH - 60, height=60)


def height_of(rows: int, step: int = 26) -> int:
    """Pixels of a chart with this many rows; `step` pixels per row, and at least three rows."""
    return max(3, rows) * step


def label_width(labels: Iterable[str]) -> int:
    """Pixels that the labels of rows take."""
    return 24 + round(6.6 * max(map(len, labels)))
