"""What the jobs of extraction computed, by their logs."""

import re
from collections import Counter

from .conftest import Project

LINE = re.compile(r"INFO (\w+): (\d+) computed, (\d+) kept")


def computed(project: Project, shard: str = "*") -> dict[str, int]:
    """Store -> how many movies the last jobs of its group computed; without those with none."""
    return +_counts(project, shard)[0]


def kept(project: Project, shard: str = "*") -> dict[str, int]:
    """Store -> how many movies were kept."""
    return +_counts(project, shard)[1]


def _counts(project: Project, shard: str) -> tuple[Counter, Counter]:
    new, old = Counter(), Counter()
    for log in project.folder.glob(f"logs/extract_features/*/{shard}.log"):
        for store, computed, kept in LINE.findall(log.read_text()):
            new[store] += int(computed)
            old[store] += int(kept)
    return new, old
