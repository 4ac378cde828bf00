"""Formats links and embedded data for the report page; loads its templates.

Reads the templates beside this module. Must not know what the page says.
"""

import json
import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

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
    environment.filters["file_name"] = lambda path: path.rsplit("/", 1)[-1]
    environment.filters["breakable"] = breakable
    return environment


def breakable(text: str) -> Markup:
    """Text that may continue on the next line after `_`, `/` and `.`: names of stores and files."""
    # Escaped before `<wbr>` is put in.
    return Markup(  # nosec B704
        re.sub(r"(?<=[_/])(?=\w)|(?<=\.)(?=[A-Za-z])", "<wbr>", str(escape(text)))
    )


def read_template(name: str) -> Markup:
    """A style sheet or script of the templates, unescaped."""
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    return Markup(text)  # nosec B704  # a file of the package


def relative_link(path: str | Path) -> str:
    """The link from the page in `REPORT_FOLDER` to a path of the project."""
    path = Path(path)
    if path.is_relative_to("results"):
        return f"../{path.relative_to('results').as_posix()}"
    return f"../../{path.as_posix()}"


def json_for_script(value: object) -> Markup:
    """JSON that is safe inside a script element. Raises ValueError for NaN and infinity."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # Without `<` and `&` there is neither an element nor an entity.
    return Markup(  # nosec B704
        text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    )


def script_for_page(text: str) -> Markup:
    """A script whose string literals cannot end the script element that contains it."""
    # Called for scripts of packages only.
    return Markup(  # nosec B704
        re.sub(r"<(?=/script|!--|script)", r"\\x3c", text, flags=re.I)
    )
