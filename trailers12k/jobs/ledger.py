"""The ledger: one row per movie and stage, with its status, and the reason of every failure.

Reads and writes the ledgers of shards and the one of all stages. Must not know what the stages do.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from trailers12k.common.bounded_files import quoted
from trailers12k.common.errors import UserError
from trailers12k.common.files import read_csv, reading, write_csv
from trailers12k.common.vocabulary import FAILED, OK, SKIPPED, STATUSES

COLUMNS = ["mid", "status", "reason", "detail", "attempts", "bytes", "sha256", "tool"]
"""status: one of `STATUSES`. reason: one word; empty for most that are ok. detail: the original
message. attempts: their number. bytes, sha256: of the file that the stage made, if any. tool: the
program that made it, with its version."""

NEEDED = ["mid", "status"]
"""The columns without which a table is no ledger."""
COUNTS = ("attempts", "bytes", "clips", "trailer", "width", "height", "shots", "repeated")
"""Columns of any stage that hold whole numbers, or nothing."""
NUMBERS = (
    *("duration", "fps", "black", "still", "frozen", "loudness", "peak", "silence"),
    *("bar_top", "bar_bottom", "bar_left", "bar_right"),
)
"""Columns of any stage that hold numbers, or nothing."""

LedgerRow = dict[str, Any]
"""A row that a job made: values for some of `COLUMNS`, always `mid` and `status`, and for the
stage's own columns. Read from a file, all values are texts."""


def write_shard(
    path: str | Path, rows: Sequence[Mapping[str, Any]], extra: Sequence[str] = ()
) -> None:
    """Write a stage's ledger of one shard: the columns of all ledgers, then the stage's own."""
    write_csv(path, [*COLUMNS, *extra], rows)


def read_shard(path: str | Path, extra: Sequence[str] = ()) -> list[dict[str, str]]:
    """The rows of one shard's ledger, as texts. extra: columns of the stage that it must have.

    Raises `UserError` for a damaged ledger, FileNotFoundError without one.
    """
    return _read(path, [*NEEDED, *extra], ["mid"])


def read_ledger(path: str | Path) -> list[dict[str, str]]:
    """The rows of the ledger of all stages, which `merge` wrote. Raises as `read_shard`."""
    return _read(path, [*NEEDED, "stage"], ["mid", "stage"])


def _read(path: str | Path, columns: Sequence[str], key: Sequence[str]) -> list[dict[str, str]]:
    with reading(path):
        rows = read_csv(path, columns, NUMBERS, COUNTS, key)
        for row in rows:
            if row["status"] not in STATUSES:
                raise ValueError(f"{quoted(row['mid'])} has the status {quoted(row['status'])}")
        return rows


def merge(
    shards: Iterable[tuple[str, str | Path]],
    path: str | Path,
    more: Mapping[str, Sequence[Mapping[str, str]]] | None = None,
) -> list[dict[str, str]]:
    """Write the ledger of all stages, `mid,stage,status,...`: by stage, in their order, and mid.

    shards: pairs of a stage's name and the path of one of its shards' ledgers.
    more: rows of stages without such files, which come first; missing columns are empty.
    Returns the rows, each with its `stage`.
    """
    empty = dict.fromkeys(COLUMNS, "")
    stages: dict[str, list[dict[str, str]]] = {
        stage: [{"stage": stage} | empty | dict(row) for row in rows]
        for stage, rows in (more or {}).items()
    }
    for stage, shard in shards:
        stages.setdefault(stage, []).extend({"stage": stage} | row for row in read_shard(shard))
    rows = [row for stage in stages.values() for row in sorted(stage, key=lambda row: row["mid"])]
    columns = ["mid", "stage", *COLUMNS[1:]]
    write_csv(path, columns, ({name: row[name] for name in columns} for row in rows))
    return rows


def tools(rows: Iterable[Mapping[str, str]]) -> str:
    """The programs, with their versions, of the rows whose status is ok."""
    return ", ".join(sorted({row["tool"] for row in rows if row["status"] == OK}))


def count(rows: Iterable[Mapping[str, Any]]) -> str:
    """A line of counts: `40 ok, 1 failed (truncated 1), 3 skipped (no_trailer 3)`."""
    rows = list(rows)
    parts = []
    for status in STATUSES:
        of_status = [row for row in rows if row["status"] == status]
        reasons = _reasons(row["reason"] for row in of_status if row.get("reason"))
        if of_status or status == OK:
            parts.append(f"{len(of_status)} {status}" + (f" ({reasons})" if reasons else ""))
    return ", ".join(parts)


def _reasons(reasons: Iterable[str]) -> str:
    return ", ".join(f"{reason} {number}" for reason, number in sorted(Counter(reasons).items()))


@dataclass(frozen=True)
class StageFailures:
    """How many movies failed in a stage.

    tried: movies that were not skipped. failed: of these. stopped: movies that were not begun,
    since downloading was stopped. reasons: of the failures, with counts.
    """

    stage: str
    tried: int
    failed: int
    stopped: int
    reasons: str

    @property
    def rate(self) -> float:
        """Share of failures among the tried movies."""
        return self.failed / max(1, self.tried)


FAILURE_COLUMNS = ["stage", "tried", "failed", "rate", "stopped", "reasons"]


def failures(rows: Iterable[Mapping[str, str]]) -> list[StageFailures]:
    """The failures of each stage. rows: of ledgers, with their `stage`."""
    stages: dict[str, list[Mapping[str, str]]] = {}
    for row in rows:
        stages.setdefault(row["stage"], []).append(row)
    counts = []
    for stage, of_stage in stages.items():
        failed = [row["reason"] for row in of_stage if row["status"] == FAILED]
        counts.append(
            StageFailures(
                stage,
                tried=sum(row["status"] != SKIPPED for row in of_stage),
                failed=len(failed),
                stopped=sum(row["reason"] == "stopped" for row in of_stage),
                reasons=_reasons(failed),
            )
        )
    return counts


def write_failures(path: str | Path, stages: Iterable[StageFailures]) -> None:
    """Write the failures of each stage as CSV, with `FAILURE_COLUMNS`."""
    rows = [asdict(stage) | {"rate": f"{stage.rate:.4f}"} for stage in stages]
    write_csv(path, FAILURE_COLUMNS, rows)


def check(stages: Iterable[StageFailures], most: float, stop_reason: str) -> None:
    """Refuse a run in which too many movies failed, or which was stopped. Raises `UserError`.

    most: largest tolerated share of failures. stop_reason: why downloading is stopped, else empty.
    """
    for stage in stages:
        if stage.stopped:
            raise UserError(
                f"{stage.stage}: {stage.stopped} movies were not begun, since downloading was "
                f"stopped; the same command continues. {stop_reason}"
            )
        if stage.rate > most:
            raise UserError(
                f"{stage.stage}: {stage.failed} of {stage.tried} failed ({stage.reasons}), and "
                f"max_failure_rate is {most:g}; all other jobs are done"
            )
