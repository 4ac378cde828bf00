"""Keeps what a benchmark measured, for the documentation and for `trailers12k estimate`.

Writes trailers12k/workflow/figures/NAME.json. Must not know what was measured.
"""

import datetime
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trailers12k.common.files import write_json
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


def update(name: str, tables: Mapping[str, Any]) -> None:
    """Replace some tables of `NAME.json`; each gets the date and the machine of its measurement.

    The file then holds `{"figures": {KEY: {"rows": ..., "date": ..., "machine": ...}}}`.
    """
    path = FOLDER / f"{name}.json"
    kept = json.loads(path.read_text(encoding="utf-8"))["figures"] if path.exists() else {}
    today = {"date": datetime.date.today().isoformat(), "machine": measured.machine()}
    new = {key: {**today, "rows": rows} for key, rows in tables.items()}
    write_json(path, {"measured": today, "figures": kept | new})
    print(f"written: {path.relative_to(ROOT)}")
