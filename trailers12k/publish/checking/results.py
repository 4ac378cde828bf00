"""The results of a publication that is judged: the same in each table that has them.

Reads rows and a text; writes nothing. Must not know how scores are made.
"""

import re
from collections.abc import Mapping, Sequence
from statistics import fmean, stdev

from trailers12k.common.bounded_files import quoted
from trailers12k.common.vocabulary import GENRES, METRIC_NAMES, METRICS
from trailers12k.evaluation.leaderboards import NUMBERS, SAME, SCORED

Rows = Sequence[Mapping[str, str]]

ROUNDED = 0.0051 + 0.0001
"""Percent: summary.csv has two decimals, and test.csv has six."""
CELL = re.compile(r"([0-9.]+)±([0-9.]+|nan)(?: \[([0-9.]+), ([0-9.]+)\])?")
"""A score in summary.md: mean, deviation, and the ends of its interval."""
CELL_COLUMNS = ("", "_sd", "_low", "_high")
"""What follows the metric in the columns of summary.csv that a cell shows."""
HASH = re.compile("[0-9a-f]{64}")


def summary_fault(summary: Rows, test: Rows) -> str:
    """Where summary.csv is not the means and deviations of test.csv, in %; else empty."""
    of_run: dict[str, list[Mapping[str, str]]] = {}
    for row in test:
        of_run.setdefault(row["run"], []).append(row)
    if other := sorted({row["run"] for row in summary} ^ of_run.keys()):
        return f"{quoted(other[0])} is only in one of results/summary.csv and results/test.csv"
    for row in summary:
        for name in (*METRICS, *GENRES):
            scores = [float(each[name]) * 100 for each in of_run[row["run"]] if each.get(name)]
            wanted = {name: fmean(scores) if scores else None}
            wanted[f"{name}_sd"] = stdev(scores) if len(scores) > 1 else None
            for column, value in wanted.items():
                cell = row.get(column, "")
                is_lacking = name in METRICS and value is not None and not cell
                if is_lacking or not is_near(cell, value):
                    return (
                        f"{quoted(row['run'])} has {column} {quoted(cell)}, which is not "
                        "that of results/test.csv"
                    )
    return ""


def is_near(text: str, value: float | None) -> bool:
    """Whether a cell has a value. One that is empty on either side is not compared."""
    return not text or value is None or abs(float(text) - value) <= ROUNDED


def leaderboard_fault(leaderboard: Rows, summary: Rows) -> str:
    """Where leaderboard.csv has other rows or scores than summary.csv; else empty."""
    of_run = {row["run"]: row for row in summary}
    if len(leaderboard) != len({row["row"] for row in leaderboard}):
        return "a row is in it twice"
    if other := sorted({row["row"] for row in leaderboard} ^ of_run.keys()):
        return f"{quoted(other[0])} is only in one of it and results/summary.csv"
    for row in leaderboard:
        for name, (pattern, allowed) in NUMBERS.items():
            if row.get(name) and not pattern.fullmatch(row[name]):
                return f"{quoted(row['row'])} has {name} {quoted(row[name])}, not {allowed}"
        for name in SAME:
            if not HASH.fullmatch(row.get(name, "")):
                return f"{quoted(row['row'])} has no sha256 in {name}"
        for name in (*SCORED, "movies", "of"):
            value, wanted = row.get(name, ""), of_run[row["row"]].get(name, "")
            if not _is_same(value, wanted):
                return (
                    f"{quoted(row['row'])} has {name} {quoted(value)}, and "
                    f"results/summary.csv has {quoted(wanted)}"
                )
    return ""


def _is_same(one: str, other: str) -> bool:
    """Whether two cells are one number, or both empty."""
    return one == other or bool(one and other and float(one) == float(other))


def zero_shot_fault(content: object, summary: Rows) -> str:
    """What is wrong with the texts of runs without training; else empty."""
    if not isinstance(content, Mapping):
        return "it holds no object"
    for run, record in content.items():
        if run not in {row["run"] for row in summary}:
            return f"{quoted(run)} is not in results/summary.csv"
        prompts = record.get("prompts") if isinstance(record, Mapping) else None
        if not isinstance(prompts, Mapping) or {*prompts} != {*GENRES}:
            return f"{quoted(run)} has no texts of the ten genres"
    return ""


def markdown_fault(text: str, summary: Rows) -> str:
    """Where the first table of summary.md has other scores than summary.csv; else empty."""
    tables = re.split(r"\n(?:[^|\n].*)?\n", text)
    lines = next((t.strip().splitlines() for t in tables if t.lstrip().startswith("| run ")), [])
    head = [cell.strip() for cell in lines[0].split("|")] if lines else []
    of_run = {row["run"]: row for row in summary}
    for line in lines[2:]:
        cells = dict(zip(head, (cell.strip() for cell in line.split("|")), strict=False))
        if not (row := of_run.get(cells.get("run", ""))):
            continue
        for metric in METRICS:
            if what := _cell_fault(cells.get(METRIC_NAMES[metric], ""), metric, row):
                return f"{quoted(row['run'])} has {METRIC_NAMES[metric]} {what}"
    return ""


def _cell_fault(cell: str, metric: str, row: Mapping[str, str]) -> str:
    """Where a cell of summary.md is not what the row of summary.csv has; else empty."""
    if not (match := CELL.fullmatch(cell)):
        return f"{quoted(cell)}, which is no score" if row.get(metric) else ""
    for text, column in zip(match.groups(), CELL_COLUMNS, strict=True):
        wanted = row.get(f"{metric}{column}", "")
        text = "" if text in (None, "nan") else text
        if not _is_same(text, wanted):
            return f"{quoted(text)}, and results/summary.csv has {quoted(wanted)}"
    return ""
