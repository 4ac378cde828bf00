"""Counts the movies that each stage lost, by reason, down to those that every run evaluated.

Reads rows of ledgers and splits. Must not know how the counts are drawn.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from trailers12k.common.vocabulary import OK, SKIPPED, SPLITS, SUBSETS
from trailers12k.movies.curation import REASON, STAGE

FUNNEL = ["step", "status", "reason", "movies"]
"""Columns of funnel.csv. Each step has one row per status and reason of its losses, then one row
`ok` with the movies that remain."""

MADE = ("trailers", "clips")
"""The stages before the stores."""


class Loss(NamedTuple):
    """The first stage in which a movie is not `ok`, with the status and reason of its ledger."""

    stage: str
    status: str
    reason: str


StageRows = Mapping[str, Mapping[str, tuple[str, str]]]
"""Stage -> mid -> (status, reason)."""


def stages_of(ledger: Iterable[Mapping[str, str]]) -> dict[str, dict[str, tuple[str, str]]]:
    """Groups rows of data/ledger.csv: stage -> mid -> (status, reason)."""
    stages: dict[str, dict[str, tuple[str, str]]] = {}
    for row in ledger:
        stages.setdefault(row["stage"], {})[row["mid"]] = row["status"], row["reason"]
    return stages


def follow(mids: Iterable[str], stages: StageRows, order: Sequence[str]) -> dict[str, Loss]:
    """Finds the stage that lost each movie: mid -> the first stage that is not ok.

    stages: of `stages_of`. order: the stages that count, in the order of the flow. A movie that is
    missing from a stage's ledger counts as lost there, with the reason `unknown`.
    """
    lost: dict[str, Loss] = {}
    remaining = list(mids)
    for stage in order:
        rows = stages.get(stage, {})
        for mid in remaining:
            status, reason = rows.get(mid, (SKIPPED, "unknown"))
            if status != OK:
                lost[mid] = Loss(stage, status, reason or "unknown")
        remaining = [mid for mid in remaining if mid not in lost]
    return lost


def funnel(
    mids: Sequence[str],
    rejected: int,
    lost: Mapping[str, Loss],
    order: Sequence[str],
    splits: pd.DataFrame,
    predicted: Mapping[str, set[str]],
) -> list[dict[str, object]]:
    """Rows of funnel.csv: from the movies of the sources to those that every run evaluated.

    The losses of a step and its remaining movies add up to the remaining movies of the step before.
    rejected: number of movies that curation removed; `mids` lacks them. order: the stages of
    `follow`; all stages but trailers and clips are stores, which form one step. splits: of
    `scores.read_labels`. predicted: run -> mids of its test predictions.
    """
    rows: list[dict[str, object]] = []
    remaining = set(mids)

    def row(step: str, status: str, reason: str, movies: int) -> None:
        rows.append({"step": step, "status": status, "reason": reason, "movies": movies})

    def step(name: str, losses: Mapping[str, tuple[str, str]]) -> None:
        counts = Counter(losses[mid] for mid in remaining & losses.keys())
        for (status, reason), number in sorted(counts.items()):
            row(name, status, reason, number)
        remaining.difference_update(losses)
        row(name, OK, "", len(remaining))

    row("movies", OK, "", len(remaining) + rejected)
    if rejected:
        row(STAGE, SKIPPED, REASON, rejected)
        row(STAGE, OK, "", len(remaining))
    stages = [stage for stage in MADE if stage in order]
    for name in stages:
        step(name, {mid: loss[1:] for mid, loss in lost.items() if loss.stage == name})
    step("features", {mid: loss[1:] for mid, loss in lost.items() if loss.stage not in stages})
    step("splits", dict.fromkeys(remaining - {*splits.index}, (SKIPPED, "not_in_splits")))
    columns = [name for name in (f"split{split}" for split in SPLITS) if name in splits]
    tested = splits.index[(splits[columns] == SUBSETS.index("test")).any(axis=1)]
    step("test", dict.fromkeys(remaining - {*tested}, (SKIPPED, "in_no_test_subset")))
    common = set.intersection(*predicted.values()) if predicted else set()
    step("evaluated", dict.fromkeys(remaining - common, (SKIPPED, "not_predicted")))
    return rows
