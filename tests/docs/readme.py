"""Fills the measured figures of README.md, which no build of a site replaces.

Reads and writes README.md. Must not know how figures are measured.

`<!-- It takes {{ sample.wall_minutes }} minutes. -->...<!-- end -->` shows the text of the first
comment with its figures, as in the pages of docs/.
"""

import re
import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
FILLED = re.compile(r"<!-- ((?:(?!-->).)*\{\{.*?) -->.*?<!-- end -->", re.DOTALL)


def filled(text: str) -> str:
    """The text with the current figures."""
    replace = runpy.run_path(str(ROOT / "docs" / "hooks.py"))["replace_figures"]
    return FILLED.sub(
        lambda match: f"<!-- {match[1]} -->{replace(match[1])}<!-- end -->",
        text,
    )


def write() -> None:
    """Write README.md with the current figures."""
    README.write_text(filled(README.read_text(encoding="utf-8")), encoding="utf-8")
