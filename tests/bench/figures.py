"""Keeps what a benchmark measured, for the documentation and for `trailers12k estimate`.

Writes trailers12k/workflow/figures/NAME.json. Must not know what was measured.
"""

from collections.abc import Mapping
from pathlib import Path

from trailers12k.workflow import measured

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "trailers12k/workflow/figures"


def write(name: str, figures: Mapping[str, float | int | str]) -> None:
    """Write `NAME.json` of the package, see `write_to`."""
    write_to(FOLDER / f"{name}.json", figures)


def write_to(path: Path, figures: Mapping[str, float | int | str]) -> None:
    """Write the date, the machine, and the figures with four significant digits."""
    rounded = {
        key: float(f"{value:.4g}") if isinstance(value, float) else value
        for key, value in figures.items()
    }
    measured.write(path, rounded)
    print(f"written: {path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}")
