"""Figures that benchmarks measured: those of the package, and those of this machine.

Reads figures/*.json of the package and build/estimate.json; writes the latter. Must not know what
the figures mean.
"""

import datetime
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from trailers12k.common.bounded_files import UnreadableFile, read_small
from trailers12k.common.errors import UserError
from trailers12k.common.files import write_json

OWN = Path("build/estimate.json")


@dataclass(frozen=True)
class Measured:
    """Figures by name, and the date and the machine of their measurement."""

    figures: Mapping[str, Any]
    date: str
    machine: str


def shipped(name: str) -> Measured:
    """The figures that a benchmark of tests/bench/ wrote into the package."""
    file = resources.files("trailers12k.workflow").joinpath("figures", f"{name}.json")
    return _measured(json.loads(file.read_text(encoding="utf-8")))


def own() -> Measured | None:
    """The figures that were measured for this folder; None before. Raises `UserError`."""
    try:
        measured = _measured(json.loads(read_small(OWN)))
        for name, value in measured.figures.items():
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name}: {value}")
        return measured
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise UnreadableFile(str(OWN), error) from error
    except (OSError, AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise UserError(f"{OWN} cannot be read ({error}); delete it") from error


def write(path: Path, figures: Mapping[str, Any]) -> None:
    """Write figures with today's date and this machine."""
    date = datetime.date.today().isoformat()
    write_json(path, {"measured": {"date": date, "machine": machine()}, "figures": figures})


def machine() -> str:
    """The processor, the number of its cores that may be used, and the memory of this machine."""
    model = _entry("/proc/cpuinfo", "model name").replace("(R)", "").replace("(TM)", "")
    memory = _entry("/proc/meminfo", "MemTotal").split()
    size = f", {int(memory[0]) / 2**20:.0f} GB of memory" if memory else ""
    return f"{' '.join(model.split()) or 'unknown processor'}, {cores()} cores{size}"


def cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0))


def _entry(file: str, name: str) -> str:
    """The value of a line `NAME: VALUE`; empty without one."""
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")


def _measured(content: Mapping[str, Any]) -> Measured:
    measured = content["measured"]
    return Measured(dict(content["figures"]), measured["date"], measured["machine"])
