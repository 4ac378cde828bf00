"""What each rule cost in time and memory.

Reads benchmarks/. Must not know how the report shows it.
"""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

TELLER = "draw_report"
"""The rule whose own cost cannot be known when costs are told."""


def costs(folder: str | Path, known: Iterable[str]) -> list[dict]:
    """Rows of costs.csv: time and memory of each rule, summed over the last run of its jobs.

    folder: of benchmarks, a file a job. known: the names that jobs may have (stores, runs); what
    is left of others does not count. max_rss_mb: the most of any of its jobs.
    """
    folder, known = Path(folder), set(known)
    rows: dict[str, dict] = {}
    for path in sorted(folder.rglob("*.tsv")):
        rule, *rest = path.relative_to(folder).with_suffix("").parts
        # Two levels: RULE/STORE/SHARD and RULE/RUN/SPLIT, of rules that are not about shards alone.
        if rule == TELLER or (len(rest) > 1 and rest[0] not in known):
            continue
        told = pd.read_csv(path, sep="\t", na_values=["NA", "-"]).fillna(0).iloc[-1]
        row = rows.setdefault(rule, {"rule": rule, "jobs": 0, "s": 0, "cpu": 0, "rss": 0})
        row["jobs"] += 1
        row["s"] += float(told["s"])
        row["cpu"] += float(told["cpu_time"])
        row["rss"] = max(row["rss"], float(told["max_rss"]))
    return [
        {
            "rule": row["rule"],
            "jobs": row["jobs"],
            "seconds": f"{row['s']:.1f}",
            "cpu_seconds": f"{row['cpu']:.1f}",
            "max_rss_mb": f"{row['rss']:.0f}",
        }
        for row in sorted(rows.values(), key=lambda row: (-row["s"], row["rule"]))
    ]


COSTS = ["rule", "jobs", "seconds", "cpu_seconds", "max_rss_mb"]
