"""Fills README.md with measured figures and with lines that `make` prints.

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
OUTPUT = re.compile(r"^(```text\n)(.*?)(^```)$", re.DOTALL | re.MULTILINE)
FILLED = re.compile("(<!-- costs -->).*?(<!-- end -->)", re.DOTALL)


def filled(text: str) -> str:
    """The text of README.md with the current figures."""
    replace_figures = runpy.run_path(str(ROOT / "docs" / "hooks.py"))["replace_figures"]
    costs = replace_figures(COSTS)
    return FILLED.sub(lambda match: f"{match[1]}\n{costs}\n{match[2]}", text)


def excerpt(printed: str) -> str:
    """Of what a run prints last, the lines that no processor changes: chance, losses, what next."""
    lines = printed.strip("\n").splitlines()
    head = next(place for place, line in enumerate(lines) if line.startswith("chance"))
    ends = [line for line in lines if " lost: " in line or line.startswith(("The report", "Next"))]
    return "".join(f"{line.rstrip()}\n" for line in [*lines[: head + 1], "...", *ends])


def write(printed: str) -> None:
    """Write README.md with the current figures and an excerpt of what a run prints last."""
    text = filled(README.read_text(encoding="utf-8"))
    text = OUTPUT.sub(lambda match: f"{match[1]}{excerpt(printed)}{match[3]}", text)
    README.write_text(text, encoding="utf-8")
