"""What changed in the results of two versions: every figure of the table, and every other file.

Reads results/ of versions. Must not know how results are computed.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from trailers12k.common.vocabulary import METRIC_NAMES
from trailers12k.versions.version_files import Missing, Version
from trailers12k.versions.version_tables import (
    Rows,
    common_keys,
    differences,
    in_both,
    listed,
    tables,
)

SUMMARY = "results/summary.csv"
WHEN = ("before", "after", "change")
PER_TABLE = 2
"""Metrics side by side, which a terminal of 100 columns fits."""
TABLES = (".csv", ".json")
ELSEWHERE = ("results/config.yaml", "results/review/", "results/predictions/")
"""Files of results/ that another section compares, or that no version keeps."""
SIGNS = {"changed": "~", "new": "+", "gone": "-"}


def result_changes(before: Version, after: Version) -> Iterator[str]:
    """The lines on results: metrics of each run, its other figures, then files. Raises `Missing`
    for a version without a results table."""
    old, new = tables(SUMMARY, before, after, ("run",))
    runs = list(dict.fromkeys([*new, *old]))
    metrics = list(METRIC_NAMES)
    for start in range(0, len(metrics), PER_TABLE):
        yield from _scores(old, new, runs, metrics[start : start + PER_TABLE])
    others = {
        run: differences(_others(old[run]), _others(new[run])) for run in common_keys(old, new)
    }
    figures = (f"{run}: {line}" for run, lines in others.items() for line in lines)
    yield from listed("other figures of the table changed", figures)
    try:
        yield from _files(before, after)
    except Missing as error:
        yield f"files not compared: {error}"


def _others(row: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in row.items() if name not in METRIC_NAMES}


def _scores(old: Rows, new: Rows, runs: Sequence[str], metrics: Sequence[str]) -> Iterator[str]:
    """A table by run: each metric, in %, before and after, and the difference; none without one."""
    values = {
        run: [(_value(old, run, name), _value(new, run, name)) for name in metrics] for run in runs
    }
    if all(one == other for pairs in values.values() for one, other in pairs):
        return
    lines = [["run", *(f"{METRIC_NAMES[name]} {when}" for name in metrics for when in WHEN)]]
    for run, pairs in values.items():
        lines.append([run, *(cell for pair in pairs for cell in _cells(*pair))])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for run, *cells in lines:
        padded = (f"{cell:>{width}}" for cell, width in zip(cells, widths[1:], strict=True))
        yield "  ".join([run.ljust(widths[0]), *padded])


def _cells(before: float | None, after: float | None) -> list[str]:
    """Texts of both values and of their difference; "-" where a value is missing."""
    values = ["-" if value is None else f"{value:.2f}" for value in (before, after)]
    difference = "-" if before is None or after is None else f"{after - before:+.2f}"
    return [*values, difference]


def _value(rows: Rows, run: str, name: str) -> float | None:
    text = rows.get(run, {}).get(name)
    return float(text) if text else None


def _files(before: Version, after: Version) -> Iterator[str]:
    """The tables and runs with changed files, by name, and the numbers of pictures and pages."""
    old, new = in_both("results", before, after, _contents)
    changes = {
        path: "new" if path not in old else "gone" if path not in new else "changed"
        for path in sorted(old.keys() | new.keys())
        if old.get(path) != new.get(path)
    }
    of_runs = Counter((_run_of(path), what) for path, what in changes.items() if _run_of(path))
    others = {path: what for path, what in changes.items() if not _run_of(path)}
    named = (f"{SIGNS[what]} {path}" for path, what in others.items() if path.endswith(TABLES))
    yield from listed("tables changed, are new (+) or gone (-)", named)
    lines = (
        f"{SIGNS[what]} {run}: {n:,} of its files {what}" for (run, what), n in of_runs.items()
    )
    yield from listed("runs with predictions and weights that changed", lines)
    rest = Counter(what for path, what in others.items() if not path.endswith(TABLES))
    if rest:
        numbers = ", ".join(f"{rest[what]:,} {what}" for what in SIGNS if rest[what])
        yield f"pictures and pages: {numbers}"


def _contents(path: str, version: Version) -> Mapping[str, str]:
    hashes = version.hashes(path)
    return {name: each for name, each in hashes.items() if not name.startswith(ELSEWHERE)}


def _run_of(path: str) -> str:
    """The folder of the run that a file belongs to; empty for a file of all runs."""
    parts = path.split("/")
    return "/".join(parts[:3]) if parts[1] == "runs" else ""
