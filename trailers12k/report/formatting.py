"""How the page writes numbers, links and data.

Reads the templates. Must not know what the page tells.
"""

import json
import re
from pathlib import Path

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

TEMPLATES = Path(__file__).parent / "templates"

PLACE = "results/report"

FIGURES_FOLDER = "results/figures"

FIGURE_NAMES = {"uap": "µAP", "map": "mAP", "wap": "wAP", "sap": "sAP"}

Table = pd.DataFrame


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["count"] = _count
    environment.filters["file_name"] = lambda path: path.rsplit("/", 1)[-1]
    return environment


def _relative(path: str | Path) -> str:
    """A path of the project, from `PLACE`."""
    path = Path(path).as_posix()
    return f"../{path.removeprefix('results/')}" if path.startswith("results/") else f"../../{path}"


def _json(value: object) -> Markup:
    """JSON that may stand in a script element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))


def _script(text: str) -> Markup:
    """A script that may stand in a script element: none of its strings ends that."""
    return Markup(re.sub(r"<(?=/script|!--|script)", r"\\x3c", text, flags=re.I))


def _count(value: object) -> str:
    return f"{int(value):,}" if value != "" else ""


def duration(seconds: float) -> str:
    """Seconds as a person says them: `41 s`, `7:05 min`, `3.2 h`."""
    if seconds < 60:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    if seconds < 5400:
        return f"{int(seconds // 60)}:{int(seconds % 60):02d} min"
    return f"{seconds / 3600:,.1f} h"
