"""Sums the time and memory of each rule's jobs.

Reads benchmarks/, and from logs/ what a result cost that a later job put back. Must not know how
the sums are drawn.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd

from trailers12k.common.bounded_files import read_small
from trailers12k.common.files import DAMAGED

COSTS = ["rule", "jobs", "seconds", "cpu_seconds", "max_rss_mb"]
"""Columns of costs.csv."""

REPORTING_RULE = "draw_report"
"""The rule that sums the costs. Snakemake writes its own benchmark only afterwards."""


BENCHMARK = {"seconds": "s", "cpu_seconds": "cpu_time", "max_rss_mb": "max_rss"}
"""Column of costs.csv -> column of a benchmark."""


@dataclass
class _RuleCosts:
    jobs: int = 0
    seconds: float = 0
    cpu_seconds: float = 0
    max_rss_mb: float = 0

    def add(self, cost: Mapping[str, float]) -> None:
        self.jobs += 1
        self.seconds += cost["seconds"]
        self.cpu_seconds += cost["cpu_seconds"]
        self.max_rss_mb = max(self.max_rss_mb, cost["max_rss_mb"])


def costs(folder: str | Path, current: Iterable[str]) -> list[dict[str, object]]:
    """Rows of costs.csv, the longest rule first, summed over the last run of every job.

    folder: of benchmarks, with one file per job. Where a job put back an earlier result, the costs
    of the work that made it count, which the job's outcome in logs/ beside `folder` has.
    current: the stores, groups of stores and runs of the configuration; benchmarks of others do not
    count. max_rss_mb: the maximum over the rule's jobs.
    """
    rules: dict[str, _RuleCosts] = {}
    for rule, path in _benchmarks(Path(folder), set(current)):
        if cost := job_cost(Path(folder), path):
            rules.setdefault(rule, _RuleCosts()).add(cost)
    ordered = sorted(rules.items(), key=lambda item: (-item[1].seconds, item[0]))
    return [
        {
            "rule": rule,
            "jobs": sums.jobs,
            "seconds": f"{sums.seconds:.1f}",
            "cpu_seconds": f"{sums.cpu_seconds:.1f}",
            "max_rss_mb": f"{sums.max_rss_mb:.0f}",
        }
        for rule, sums in ordered
    ]


def job_cost(folder: Path, benchmark: Path) -> Mapping[str, float]:
    """The cost of a job: `BENCHMARK`'s columns; empty where its benchmark is damaged.

    folder: of benchmarks. benchmark: the job's own in it.
    """
    log_file = folder.parent / "logs" / benchmark.relative_to(folder)
    return _of_earlier_work(log_file.with_suffix(".json")) or _of_job(benchmark)


def _of_job(benchmark: Path) -> dict[str, float]:
    try:
        cells = pd.read_csv(benchmark, sep="\t", na_values=["NA", "-"]).fillna(0).iloc[-1]
        cost = {name: float(cells[column]) for name, column in BENCHMARK.items()}
    except (OSError, *DAMAGED):  # a damaged benchmark counts as none
        return {}
    return cost if all(map(math.isfinite, cost.values())) else {}


def _of_earlier_work(outcome: Path) -> dict[str, float] | None:
    """The cost of the work whose result a job put back; None for a job that did the work."""
    try:
        cost = json.loads(read_small(outcome))["cost"]
        costs = {name: float(cost[name]) for name in BENCHMARK}
    except (OSError, *DAMAGED):
        return None
    return costs if all(map(math.isfinite, costs.values())) else None


def last_day(folder: str | Path, current: Iterable[str]) -> date | None:
    """The day, in UTC, on which the last of the counted jobs ended; None without benchmarks."""
    times = [path.stat().st_mtime for _, path in _benchmarks(Path(folder), set(current))]
    return datetime.fromtimestamp(max(times), UTC).date() if times else None


def _benchmarks(folder: Path, current: set[str]) -> Iterator[tuple[str, Path]]:
    """The benchmarks that count: rule, file."""
    for path in sorted(folder.rglob("*.tsv")):
        rule, *rest = path.relative_to(folder).with_suffix("").parts
        # Two levels (RULE/STORE/SHARD, RULE/RUN/SPLIT) name a store, group or run; one does not.
        if rule != REPORTING_RULE and (len(rest) <= 1 or rest[0] in current):
            yield rule, path
