"""Keeps what a benchmark measured, for the documentation and for `trailers12k estimate`.

Writes trailers12k/workflow/figures/NAME.json. Must not know what was measured.
"""

import datetime
import os
from collections.abc import Mapping
from pathlib import Path

from trailers12k.common.files import write_json

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "trailers12k/workflow/figures"


def write(name: str, figures: Mapping[str, float | int | str]) -> None:
    """Write `NAME.json`: the date, the machine, and the figures with four significant digits."""
    rounded = {
        key: float(f"{value:.4g}") if isinstance(value, float) else value
        for key, value in figures.items()
    }
    measured = {"date": datetime.date.today().isoformat(), "machine": machine()}
    write_json(FOLDER / f"{name}.json", {"measured": measured, "figures": rounded})
    print(f"written: {(FOLDER / name).relative_to(ROOT)}.json")


def machine() -> str:
    """The processor, the number of its cores that may be used, and the memory of this machine."""
    model = _entry("/proc/cpuinfo", "model name").replace("(R)", "").replace("(TM)", "")
    memory = int(_entry("/proc/meminfo", "MemTotal").split()[0]) / 2**20
    cores = len(os.sched_getaffinity(0))
    return f"{' '.join(model.split())}, {cores} cores, {memory:.0f} GB of memory"


def _entry(file: str, name: str) -> str:
    lines = Path(file).read_text().splitlines()
    return next(line.partition(":")[2].strip() for line in lines if line.startswith(name))
