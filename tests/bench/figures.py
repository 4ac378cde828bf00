"""Keeps what a benchmark measured, for the documentation and for `trailers12k estimate`.

Writes trailers12k/workflow/figures/NAME.json. Must not know what was measured.
"""

from collections.abc import Mapping
from pathlib import Path

from trailers12k.workflow import measured

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "trailers12k/workflow/figures"


def write(name: str, figures: Mapping[str, float | int | str]) -> None:
    """Write `NAME.json`: the date, the machine, and the figures with four significant digits."""
    rounded = {
        key: float(f"{value:.4g}") if isinstance(value, float) else value
        for key, value in figures.items()
    }
    measured.write(FOLDER / f"{name}.json", rounded)
    print(f"written: {(FOLDER / name).relative_to(ROOT)}.json")
