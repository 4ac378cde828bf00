"""Writes charts as SVG, PNG and Vega-Lite.

Must not know what the charts show.
"""

import re
from io import BytesIO
from pathlib import Path

import altair as alt
import vl_convert
from PIL import Image

from trailers12k.common.files import replacing, write_text
from trailers12k.report.theme import (
    CONFIG,
)

Chart = alt.TopLevelMixin

VEGA_LITE = alt.SCHEMA_VERSION.removeprefix("v").rsplit(".", 1)[0]


def save(chart: Chart, stem: str | Path) -> None:
    """Write STEM.svg and STEM.png: the same bytes wherever the table is the same."""
    text = svg(chart)
    write_text(f"{stem}.svg", text)
    data = vl_convert.vegalite_to_png(spec(chart), VEGA_LITE, scale=2)
    with replacing(f"{stem}.png") as partial, Image.open(BytesIO(data)) as picture:
        # A third of the bytes.
        picture.convert("RGB").save(partial, "PNG", optimize=True)


def svg(chart: Chart) -> str:
    """The chart as SVG."""
    text = vl_convert.vegalite_to_svg(spec(chart), VEGA_LITE)
    # Counted on from the charts before it, else.
    names = dict.fromkeys(re.findall(r' id="(clip\d+)"', text))
    for place, name in enumerate(names):
        text = text.replace(f' id="{name}"', f' id="clip-{place}"')
        text = text.replace(f"url(#{name})", f"url(#clip-{place})")
    return text


def spec(chart: Chart) -> dict:
    """The chart in Vega-Lite's own form, with this project's looks."""
    # Not validated: of 12,000 points that would take longer than all else.
    told = chart.to_dict(validate=False)
    return told | {"config": CONFIG}


def script() -> str:
    """The JavaScript that draws a `spec` in a browser: `vegaEmbed`."""
    return vl_convert.javascript_bundle()
