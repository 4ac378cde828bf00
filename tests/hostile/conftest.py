"""Keeps what became of the hostile inputs for docs/reliability.md, where `--keep` is given.

Writes trailers12k/workflow/figures/reliability.json. Must not know what the inputs are.

    pytest tests/hostile -k hostile_input --keep         # make reliability
"""

import json
import re
import runpy
from pathlib import Path

import pytest

FIGURES = Path(__file__).parents[1] / "bench" / "figures.py"
KEPT = Path(__file__).parents[2] / "trailers12k/workflow/figures/reliability.json"
LONGEST = 200
"""Characters of an answer that the page shows."""
OF_THIS_MACHINE = {
    r"\S*/pytest-of-[^/\s]+/pytest-\d+/[^/\s]+/": "",
    r"[^\s']*\.[0-9a-f]{8}-\d+-[0-9a-f]{8}\.partial/": "",
    r"\.[0-9a-f]{8}-\d+-[0-9a-f]{8}\.partial\b": ".partial",
    r"(127(?:\.\d+){3}|localhost|\[::1\]):\d+": r"\1:PORT",
}
"""What differs from run to run: temporary folders and names, ports; and what the page has."""
ROWS = pytest.StashKey[list[dict[str, str | float]]]()


def pytest_addoption(parser):
    parser.addoption("--keep", action="store_true", help="keep the answers for the documentation")


@pytest.fixture
def keep(request, tmp_path):
    """Keeps the outcome of a hostile input."""
    rows = request.config.stash.setdefault(ROWS, [])
    return lambda hostile, outcome: rows.append(row(hostile, outcome, str(tmp_path)))


def row(hostile, outcome, folder):
    """What the page shows of an input. folder: its name is no part of an answer."""
    said = outcome.said.replace(f"{folder}/", "").replace(folder, ".")
    said = cleaned(said)
    return {
        "kind": hostile.kind,
        "name": hostile.name,
        "bound": hostile.bound,
        "answer": f"{said[:LONGEST]}…" if len(said) > LONGEST else said,
        "mb": round(max(outcome.mb, 0)),
        "seconds": round(outcome.seconds, 1),
    }


def cleaned(said):
    """An answer without the parts that differ in every run."""
    for pattern, shown in OF_THIS_MACHINE.items():
        said = re.sub(pattern, shown, said)
    return said


def pytest_sessionfinish(session):
    """Keeps the rows of this session, and those of inputs that it did not try."""
    new = session.config.stash.get(ROWS, [])
    if not (session.config.getoption("--keep") and new):
        return
    from tests.hostile.test_hostile import inputs

    earlier = json.loads(KEPT.read_text(encoding="utf-8"))["figures"].get("inputs", {})
    known = {(row["kind"], row["name"]): row for row in [*earlier.get("rows", []), *new]}
    named = [(each.kind, each.name) for each in inputs()]
    rows = [known[key] for key in named if key in known]
    runpy.run_path(str(FIGURES))["update"]("reliability", {"inputs": rows})
