"""Fills the measured figures of README.md, which no build of a site replaces.

Reads and writes README.md. Must not know how figures are measured.
"""

import re
import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
COSTS = """The run takes {{ sample.cpu_minutes|.0f }} minutes of CPU time, so about
{{ sample.two_cores_minutes|.0f }} minutes on two idle cores. A job needs
{{ sample.peak_mb|.0f }} MB of memory at most, and the installation {{ sample.venv_gb|.1f }} GB of
disk.
These figures were {{ sample.measured }}."""
FILLED = re.compile("(<!-- costs -->).*?(<!-- end -->)", re.DOTALL)


def filled(text: str) -> str:
    """The text of README.md with the current figures."""
    replace_figures = runpy.run_path(str(ROOT / "docs" / "hooks.py"))["replace_figures"]
    costs = replace_figures(COSTS)
    return FILLED.sub(lambda match: f"{match[1]}\n{costs}\n{match[2]}", text)


def write() -> None:
    """Write README.md with the current figures."""
    README.write_text(filled(README.read_text(encoding="utf-8")), encoding="utf-8")
