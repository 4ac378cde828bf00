"""Formats numbers, links and embedded data for the report page; loads its templates.

Reads the templates beside this module. Must not know what the page says.
"""

import json
import re
from pathlib import Path
from typing import SupportsInt

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

TEMPLATES = Path(__file__).parent / "templates"
PACKAGE_FILES = (
    "templates/report.html.j2",
    "templates/report.css",
    "templates/report.js",
)
"""Data files whose bytes count in code versions; see `workflow.code_versions`."""

REPORT_FOLDER = "results/report"
FIGURES_FOLDER = "results/figures"


def template_environment() -> Environment:
    """Jinja2 with this package's templates and filters; an undefined name is an error."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["count"] = lambda value: count(value) if value != "" else ""
    environment.filters["file_name"] = lambda path: path.rsplit("/", 1)[-1]
    return environment


def read_template(name: str) -> Markup:
    """A style sheet or script of the templates, unescaped."""
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))


def relative_link(path: str | Path) -> str:
    """The link from the page in `REPORT_FOLDER` to a path of the project."""
    path = Path(path)
    if path.is_relative_to("results"):
        return f"../{path.relative_to('results').as_posix()}"
    return f"../../{path.as_posix()}"


def json_for_script(value: object) -> Markup:
    """JSON that is safe inside a script element. Raises ValueError for NaN and infinity."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))


def script_for_page(text: str) -> Markup:
    """A script whose string literals cannot end the script element that contains it."""
    return Markup(re.sub(r"<(?=/script|!--|script)", r"\\x3c", text, flags=re.I))


def count(value: SupportsInt) -> str:
    """A whole number with thousands separators: `12,000`."""
    return f"{int(value):,}"


def duration(seconds: float) -> str:
    """Seconds in the unit that suits their size: `41 s`, `7:05 min`, `3.2 h`."""
    if seconds < 60:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    if seconds < 5400:
        return f"{int(seconds // 60)}:{int(seconds % 60):02d} min"
    return f"{seconds / 3600:,.1f} h"
