"""Every hostile input gets its answer, in one line, within its bounds of memory and time."""

import importlib
from pathlib import Path

import pytest

from tests.hostile.inputs import HostileInput, fault_of, try_input

HERE = Path(__file__).parent


def inputs() -> list[HostileInput]:
    """All inputs, of the modules rows_*.py beside this file."""
    modules = sorted(path.stem for path in HERE.glob("rows_*.py"))
    return [
        row for name in modules for row in importlib.import_module(f"tests.hostile.{name}").ROWS
    ]


@pytest.mark.parametrize("hostile", inputs(), ids=lambda each: f"{each.kind}: {each.name}")
def test_hostile_input(hostile, tmp_path, monkeypatch, keep):
    monkeypatch.chdir(tmp_path)
    outcome = try_input(hostile, tmp_path)
    assert not (fault := fault_of(hostile, outcome)), fault
    keep(hostile, outcome)
