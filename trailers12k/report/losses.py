"""Which movies each stage lost, and why.

Reads ledgers. Must not know how the report shows it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from trailers12k.movies.curation import REASON, STAGE

FUNNEL = ["step", "status", "reason", "movies"]
"""Of every step the movies lost in it, by status and reason, then those that are `ok`."""

MADE = ("trailers", "clips")
"""Stages before the stores."""

Lost = Mapping[str, tuple[str, str, str]]


def stages_of(ledger: Iterable[Mapping[str, str]]) -> dict[str, dict[str, tuple[str, str]]]:
    """Of the rows of data/ledger.csv: stage -> mid -> (status, reason)."""
    stages: dict[str, dict[str, tuple[str, str]]] = {}
    for row in ledger:
        stages.setdefault(row["stage"], {})[row["mid"]] = row["status"], row["reason"]
    return stages


def follow(
    mids: Iterable[str],
    stages: Mapping[str, Mapping[str, tuple[str, str]]],
    order: Sequence[str],
) -> dict[str, tuple[str, str, str]]:
    """Where each movie is lost: mid -> (stage, status, reason) of the first that is not ok.

    stages: of `stages_of`. order: the stages that count, as they follow each other; a movie
    of which one tells nothing is lost there, `unknown`.
    """
    lost = {}
    left = list(mids)
    for stage in order:
        rows = stages.get(stage, {})
        for mid in left:
            status, reason = rows.get(mid, ("skipped", "unknown"))
            if status != "ok":
                lost[mid] = stage, status, reason or "unknown"
        left = [mid for mid in left if mid not in lost]
    return lost


def funnel(
    mids: Sequence[str],
    rejected: int,
    lost: Lost,
    order: Sequence[str],
    splits: pd.DataFrame,
    predicted: Mapping[str, set[str]],
) -> list[dict]:
    """Rows of funnel.csv: from the movies of the sources to those every run was tested on.

    Of each step its losses and what is left: what is left before it is the sum of both.
    rejected: movies that curation took out before. order: the stages of `follow`; all but trailers
    and clips are stores, which are one step. splits: of `scores.read_labels`. predicted: run ->
    the movies in its test predictions.
    """
    rows = []
    left = set(mids)

    def step(name: str, gone: Mapping[str, tuple[str, str]]) -> None:
        counts = Counter(gone[mid] for mid in left & gone.keys())
        for (status, reason), number in sorted(counts.items()):
            rows.append({"step": name, "status": status, "reason": reason, "movies": number})
        left.difference_update(gone)
        rows.append({"step": name, "status": "ok", "reason": "", "movies": len(left)})

    step("movies", {})
    if rejected:
        rows[-1]["movies"] += rejected
        told = {"step": STAGE, "status": "skipped", "reason": REASON}
        rows.append(told | {"movies": rejected})
        rows.append({"step": STAGE, "status": "ok", "reason": "", "movies": len(left)})
    known = [stage for stage in MADE if stage in order]
    for name in known:
        step(name, {mid: told[1:] for mid, told in lost.items() if told[0] == name})
    step("features", {mid: told[1:] for mid, told in lost.items() if told[0] not in known})
    step("splits", dict.fromkeys(left - {*splits.index}, ("skipped", "not_in_splits")))
    columns = [name for name in splits if name.startswith("split")]
    held = splits.index[(splits[columns] == 2).any(axis=1)]
    step("test", dict.fromkeys(left - {*held}, ("skipped", "in_no_test_subset")))
    every = set.intersection(*predicted.values()) if predicted else set()
    step("evaluated", dict.fromkeys(left - every, ("skipped", "not_predicted")))
    return rows
