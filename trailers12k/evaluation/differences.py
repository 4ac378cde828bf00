"""Intervals and tests of rows, as columns and as text of the results table.

Reads intervals.csv and comparisons.csv. Must not know how resamples are drawn.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from trailers12k.common.vocabulary import METRIC_NAMES, METRICS
from trailers12k.evaluation.frames import read_frame

LEVEL = 0.05
"""Adjusted p below which a difference counts as significant."""
ALL = "all"
"""In the column `split` of intervals.csv: the mean over the splits."""

INTERVAL_COLUMNS = ("run", "split", "metric", "estimate", "low", "high", "movies")
COMPARISON_COLUMNS = (
    *("run_a", "run_b", "metric", "difference", "low", "high"),
    *("p", "p_adjusted", "movies"),
)

INTERVALS = """\
In square brackets: the 95 % interval of the bootstrap over test movies, drawn once for all splits
and rows: the bias-corrected normal interval (Davison & Hinkley 1997, section 5.2). It covers the
choice of the test movies, not the randomness of training, which ± over the splits shows. The
correction can move it until the score is near its edge, or outside: a sign of too few test movies.
Rows without one have no predictions, or too few test movies.

"""

TESTS = """\
Every two rows with predictions are compared on the test movies of both, on the same resamples. A
difference is significant where p_adjusted, which counts all pairs of a metric (step-down max-T:
Westfall & Young 1993; Romano & Wolf 2005), is below 0.05. With enough test movies the chance that
any of them is no difference is then about 5 % for each metric. The report shows for each two rows
whether they differ in µAP, and results/transfer/comparisons.csv has every pair and metric; low,
high and p there are of one pair alone. Files in results/transfer/ hold fractions, all others
percent. A row that no other is significantly above need not be the best: choose rows by the
validation movies (results/transfer/val.csv).

"""


@dataclass(frozen=True)
class Compared:
    """Rows of results/transfer/intervals.csv and comparisons.csv."""

    intervals: pd.DataFrame
    comparisons: pd.DataFrame


def read_intervals(path: str | Path) -> pd.DataFrame:
    """intervals.csv. Raises `UserError`."""
    numbers = ("estimate", "low", "high", "movies")
    return read_frame(
        path, INTERVAL_COLUMNS, numbers, ("run", "split", "metric"), dtype={"split": str}
    )


def read_comparisons(path: str | Path) -> pd.DataFrame:
    """comparisons.csv. Raises `UserError`."""
    numbers = ("difference", "low", "high", "p", "p_adjusted", "movies")
    return read_frame(path, COMPARISON_COLUMNS, numbers, ("run_a", "run_b", "metric"))


def interval_columns(summary: pd.DataFrame, compared: Compared | None) -> pd.DataFrame:
    """`X_low` and `X_high` of each of `METRICS`, in % with two decimals, by the rows of `summary`.

    Empty cells for rows without predictions, and for all where nothing was compared.
    """
    columns = [f"{metric}_{end}" for metric in METRICS for end in ("low", "high")]
    table = pd.DataFrame(index=summary.index, columns=columns, dtype=float)
    if compared is not None:
        intervals = compared.intervals
        for row in intervals[intervals["split"] == ALL].to_dict("records"):
            for end in ("low", "high"):
                table.loc[row["run"], f"{row['metric']}_{end}"] = round(100 * row[end], 2)
    return table


def without_interval(compared: Compared) -> list[str]:
    """The rows with a figure of which all draws are equal, so that it has no interval."""
    intervals = compared.intervals
    missing = intervals[(intervals["split"] == ALL) & intervals["low"].isna()]
    return list(dict.fromkeys(missing["run"]))


def interval_of(row: Mapping[Any, Any], metric: str) -> tuple[float, float] | None:
    """The ends of the interval of a metric in a row of summary.csv, in %; None without one."""
    low, high = row.get(f"{metric}_low"), row.get(f"{metric}_high")
    return None if low is None or high is None or pd.isna(low) or pd.isna(high) else (low, high)


def interval_text(row: Mapping[Any, Any], metric: str) -> str:
    """` [70.85, 72.51]`, in %; empty where the row has none."""
    ends = interval_of(row, metric)
    return f" [{ends[0]:.2f}, {ends[1]:.2f}]" if ends else ""


def significant(comparisons: pd.DataFrame, metric: str) -> pd.DataFrame:
    """The pairs that differ significantly in a metric, the row with the higher value as `run_a`."""
    found = comparisons[(comparisons["metric"] == metric) & (comparisons["p_adjusted"] < LEVEL)]
    lower = found["difference"] < 0
    swapped = found.rename(columns={"run_a": "run_b", "run_b": "run_a"})
    return pd.concat([found[~lower], swapped[lower]])[["run_a", "run_b"]]


def tests_section(compared: Compared, warning: str = "") -> str:
    """How many pairs differ in each metric, and in µAP each row's place among the others.

    warning: a sentence before the counts.
    """
    comparisons = compared.comparisons
    if comparisons.empty:
        return ""
    pairs = len(comparisons) // len(METRICS)
    counts = ", ".join(
        f"{METRIC_NAMES[metric]} {len(significant(comparisons, metric))}" for metric in METRICS
    )
    lines = [f"**{warning}**\n\n"] if warning else []
    lines += [f"Pairs that differ significantly, of {pairs}: {counts}.\n\n"]
    lines += [
        "| run | higher µAP than | lower than | no difference shown |\n",
        "|---|---|---|---|\n",
    ]
    found = significant(comparisons, METRICS[0])
    runs = dict.fromkeys([*comparisons["run_a"], *comparisons["run_b"]])
    of_metric = comparisons[comparisons["metric"] == METRICS[0]]
    for run in runs:
        others = int(((of_metric["run_a"] == run) | (of_metric["run_b"] == run)).sum())
        higher, lower = (int((found[side] == run).sum()) for side in ("run_a", "run_b"))
        lines.append(f"| {run} | {higher} | {lower} | {others - higher - lower} |\n")
    return f"\n## Differences between rows\n\n{TESTS}{''.join(lines)}"
