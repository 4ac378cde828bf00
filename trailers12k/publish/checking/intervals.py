"""Intervals and tests of a publication that is judged: sound, and of the rows of its scores.

Reads rows; writes nothing. Must not know how intervals and tests are computed.
"""

import math
from collections.abc import Mapping
from itertools import combinations

from trailers12k.common.bounded_files import quoted
from trailers12k.common.vocabulary import CHANCE, CONSTANT, METRICS
from trailers12k.evaluation.differences import ALL
from trailers12k.publish.checking.results import Rows, is_near

WITHOUT = (CHANCE, CONSTANT)
"""Rows without predictions, which have no intervals."""
ROUNDED = 3e-6
"""Figures have six decimals; a difference of two is compared with that of their roundings."""
LIMITS = {"difference": (-1, 1), "p": (0, 1), "p_adjusted": (0, 1)}
"""Figure of a pair -> its least and its largest value."""
MOST_ROWS = 2_000
"""Rows that are compared: their pairs are looked for one by one."""

Row = Mapping[str, str]


def intervals_fault(intervals: Rows, summary: Rows, test: Rows) -> str:
    """What is wrong with the intervals of rows; else empty.

    summary, test: rows of summary.csv and test.csv that agree.
    """
    scores = {(row["run"], row["split"]): row for row in test if row["run"] not in WITHOUT}
    means = {row["run"]: row for row in summary}
    wanted = {*scores, *((run, ALL) for run, _ in scores)}
    expected = {(*each, metric) for each in wanted for metric in METRICS}
    found = [(row["run"], row["split"], row["metric"]) for row in intervals]
    if len(found) != len({*found}):
        return "an interval is in it twice"
    if missing := sorted(expected - {*found}):
        return f"{_named(*missing[0])} is not in it"
    if more := sorted({*found} - expected):
        return f"{_named(*more[0])} is not in results/test.csv"
    for row in intervals:
        if row["split"] == ALL:
            what = _mean_fault(row, means[row["run"]])
        else:
            what = _score_fault(row, scores[row["run"], row["split"]])
        if what := _ends_fault(row, "estimate") or _range_fault(row) or what:
            return f"{_named(row['run'], row['split'], row['metric'])}: {what}"
    return ""


def _named(run: str, split: str, metric: str) -> str:
    return f"{quoted(run)}, split {quoted(split)}, {quoted(metric)}"


def _mean_fault(row: Row, mean: Row) -> str:
    """Where the interval of a mean is not that of summary.csv, in % there."""
    for name in ("estimate", "low", "high"):
        column = row["metric"] if name == "estimate" else f"{row['metric']}_{name}"
        value, other = _number(row[name]), mean.get(column, "")
        if bool(other) != (value is not None) or not is_near(
            other, None if value is None else 100 * value
        ):
            return f"{name} is {quoted(row[name])}, and results/summary.csv has {quoted(other)}"
    if row["movies"] != mean.get("movies", ""):
        return "it has other movies than in results/summary.csv"
    return ""


def _score_fault(row: Row, score: Row) -> str:
    """Where the interval of a split is not that of test.csv."""
    value, other = _number(row["estimate"]), _number(score.get(row["metric"], ""))
    if (value is None) != (other is None) or (
        value is not None and other is not None and abs(value - other) > ROUNDED
    ):
        wanted = "none" if other is None else f"{other:.6f}"
        return f"estimate is {quoted(row['estimate'])}, and results/test.csv has {wanted}"
    if row["movies"] != score.get("movies", ""):
        return "it has other movies than in results/test.csv"
    return ""


def _ends_fault(row: Row, name: str) -> str:
    """What is wrong with the ends of an interval, both of which may be empty.

    name: the column of the figure. The interval is corrected for bias, so the figure may lie
    outside, but no further than the interval is wide; this is not known where 0 or 1 cuts it.
    """
    low, high, value = _number(row["low"]), _number(row["high"]), _number(row[name])
    if low is None or high is None:
        return "" if low is high else "only one end is empty"
    if low > high:
        return f"low {quoted(row['low'])} is above high {quoted(row['high'])}"
    if value is None or {0.0, 1.0} & {low, high}:
        return ""
    reach = high - low + ROUNDED
    if not low - reach <= value <= high + reach:
        return (
            f"{name} {quoted(row[name])} is far from {quoted(row['low'])} to {quoted(row['high'])}"
        )
    return ""


def _range_fault(row: Row) -> str:
    """Which figure of an interval is no fraction."""
    for name in ("estimate", "low", "high"):
        if not 0 <= (_number(row[name]) or 0) <= 1:
            return f"{name} is {quoted(row[name])}, which is not in 0 to 1"
    return ""


def comparisons_fault(comparisons: Rows, intervals: Rows, test: Rows) -> str:
    """What is wrong with the tests between rows; else empty.

    intervals: of the rows, or none where they cannot be read.
    """
    movies: dict[str, dict[str, Row]] = {}
    for row in test:
        if row["run"] not in WITHOUT:
            movies.setdefault(row["run"], {})[row["split"]] = row
    if len(movies) > MOST_ROWS:
        return f"results/test.csv has more than {MOST_ROWS:,} rows to compare"
    means = {(row["run"], row["metric"]): row for row in intervals if row["split"] == ALL}
    found = set[tuple[frozenset[str], str]]()
    for row in comparisons:
        a, b, metric = row["run_a"], row["run_b"], row["metric"]
        where = f"{quoted(a)} and {quoted(b)}, {quoted(metric)}"
        if a == b or not {a, b} <= movies.keys() or metric not in METRICS:
            return f"{where}: these are no two rows of results/test.csv"
        if (key := (frozenset((a, b)), metric)) in found:
            return f"{where}: they are in it twice"
        found.add(key)
        if what := _ends_fault(row, "difference") or _test_fault(row) or _pair_fault(row, means):
            return f"{where}: {what}"
    for a, b in combinations(movies, 2):
        there = [metric for metric in METRICS if (frozenset((a, b)), metric) in found]
        if len(there) < len(METRICS) and (there or _must_share(movies[a], movies[b])):
            metric = next(metric for metric in METRICS if metric not in there)
            return f"{quoted(a)} and {quoted(b)}, {quoted(metric)}: they are not in it"
    return ""


def _test_fault(row: Row) -> str:
    """What is wrong with the figures of a pair, none of which may be empty."""
    found = {name: _number(row[name]) for name in LIMITS}
    for name, (low, high) in LIMITS.items():
        value = found[name]
        if value is None or not low <= value <= high:
            return f"{name} is {quoted(row[name])}, which is not in {low} to {high}"
    if (found["p_adjusted"] or 0) < (found["p"] or 0) - ROUNDED:
        return f"p_adjusted {quoted(row['p_adjusted'])} is below p {quoted(row['p'])}"
    return ""


def _pair_fault(row: Row, means: Mapping[tuple[str, str], Row]) -> str:
    """Where the difference of two rows that have the same number of movies, all compared, is not
    that of their intervals."""
    one, other = (means.get((row[run], row["metric"])) for run in ("run_a", "run_b"))
    if not one or not other:
        return ""
    sizes = int(one["movies"]), int(other["movies"])
    if int(row["movies"]) > min(sizes):
        return "it has more movies than its rows"
    values = [_number(row["difference"]), _number(one["estimate"]), _number(other["estimate"])]
    if {*sizes} != {int(row["movies"])} or None in values:
        return ""
    difference, a, b = (value or 0.0 for value in values)
    if abs(difference - (a - b)) > ROUNDED:
        text = quoted(row["difference"])
        return f"difference is {text}, and results/intervals.csv has {a - b:.6f}"
    return ""


def _must_share(one: Mapping[str, Row], other: Mapping[str, Row]) -> bool:
    """Whether two rows must have a common movie in each split: together they have more movies than
    the subset. Pairs without one are not compared."""
    return one.keys() == other.keys() and all(
        int(one[split]["movies"]) + int(other[split]["movies"]) > int(one[split]["of"])
        for split in one
    )


def _number(text: str) -> float | None:
    """A figure; None for an empty cell. Raises ValueError for anything else."""
    if not text:
        return None
    if not math.isfinite(value := float(text)):
        raise ValueError(f"{quoted(text)} is no number")
    return value
