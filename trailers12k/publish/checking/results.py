"""The results of a publication that is judged: the same in each table that has them.

Reads rows and a text; writes nothing. Must not know how scores are made.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from statistics import fmean, stdev

from trailers12k.common.bounded_files import quoted
from trailers12k.common.vocabulary import GENRES, METRIC_NAMES, METRICS
from trailers12k.evaluation.differences import ALL
from trailers12k.evaluation.leaderboards import SCORED

Rows = Sequence[Mapping[str, str]]

ROUNDED = 0.0051 + 0.0001
"""Percent: summary.csv has two decimals, and test.csv has six."""
CELL = re.compile(r"([0-9.]+)±([0-9.]+|nan)")


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
                if not _is_near(row.get(column, ""), value):
                    return (
                        f"{quoted(row['run'])} has {column} {quoted(row[column])}, which is not "
                        "that of results/test.csv"
                    )
    return ""


def _is_near(text: str, value: float | None) -> bool:
    """Whether a cell has a value. One that is empty on either side is not compared."""
    return not text or value is None or abs(float(text) - value) <= ROUNDED


def interval_fault(intervals: Rows, summary: Rows) -> str:
    """Where intervals.csv does not fit summary.csv; else empty."""
    means = {(row["run"], metric): row.get(metric, "") for row in summary for metric in METRICS}
    for row in intervals:
        what = f"{quoted(row['run'])}, {quoted(row['metric'])}"
        if (row["run"], row["metric"]) not in means:
            return f"{what} is not in results/summary.csv"
        ends = [float(row[end]) for end in ("low", "high") if row[end]]
        if len(ends) == 1 or ends != sorted(ends):
            return f"{what} has an interval from {quoted(row['low'])} to {quoted(row['high'])}"
        estimate = 100 * float(row["estimate"])
        if row["split"] == ALL and not _is_near(means[row["run"], row["metric"]], estimate):
            return f"{what} has another score than results/summary.csv"
    return ""


def comparison_fault(comparisons: Rows, summary: Rows) -> str:
    """Where comparisons.csv has not every two whole rows once, or a p that is none; else empty."""
    runs, seen = {row["run"] for row in summary}, set[tuple[str, ...]]()
    for row in comparisons:
        pair = row["run_a"], row["run_b"]
        what = f"{quoted(pair[0])} and {quoted(pair[1])}"
        if not {*pair} <= runs or row["metric"] not in METRICS:
            return f"{what}, {quoted(row['metric'])}: not in results/summary.csv"
        key = *sorted(pair), row["metric"]
        if pair[0] == pair[1] or key in seen:
            return f"{what} are compared twice, or a row with itself"
        seen.add(key)
        if not 0 <= float(row["p"]) <= float(row["p_adjusted"]) <= 1:
            return f"{what} have p {quoted(row['p'])}, adjusted {quoted(row['p_adjusted'])}"
    # Rows that lack movies can have none in common, and are not compared then.
    whole = [row["run"] for row in summary if row.get("classifier") and row["movies"] == row["of"]]
    for one, other in combinations(sorted(whole), 2):
        for metric in METRICS:
            if (one, other, metric) not in seen:
                return f"{quoted(one)} and {quoted(other)} are not compared in {metric}"
    return ""


def leaderboard_fault(leaderboard: Rows, summary: Rows) -> str:
    """Where leaderboard.csv has other rows or scores than summary.csv; else empty."""
    of_run = {row["run"]: row for row in summary}
    if other := sorted({row["row"] for row in leaderboard} ^ of_run.keys()):
        return f"{quoted(other[0])} is only in one of it and results/summary.csv"
    for row in leaderboard:
        for name in (*SCORED, "movies", "of"):
            wanted = of_run[row["row"]].get(name, "")
            if name in row and not _is_same(row[name], wanted):
                return (
                    f"{quoted(row['row'])} has {name} {quoted(row[name])}, and "
                    f"results/summary.csv has {quoted(wanted)}"
                )
    return ""


def _is_same(one: str, other: str) -> bool:
    """Whether two cells are one number, or both empty."""
    return one == other or bool(one and other and float(one) == float(other))


OF_ROWS: Mapping[str, Callable[[Rows, Rows], str]] = {
    "results/intervals.csv": interval_fault,
    "results/comparisons.csv": comparison_fault,
    "results/leaderboard.csv": leaderboard_fault,
}
"""Table -> what does not hold in it, given summary.csv."""


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
        row = of_run.get(cells.get("run", ""))
        for metric in METRICS if row else ():
            match = CELL.fullmatch(cells.get(METRIC_NAMES[metric], ""))
            if row and match and row.get(metric) and float(match[1]) != float(row[metric]):
                return (
                    f"{quoted(row['run'])} has {METRIC_NAMES[metric]} {match[1]}, and "
                    f"results/summary.csv has {quoted(row[metric])}"
                )
    return ""
