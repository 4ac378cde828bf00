"""The ledger: one row per movie and stage, with its status, and the reason of every failure.

Reads and writes the ledgers of shards and the one of all stages. Must not know what the stages do.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from trailers12k.common.errors import UserError
from trailers12k.common.files import read_csv, write_csv

COLUMNS = ["mid", "status", "reason", "detail", "attempts", "bytes", "sha256", "tool"]
"""status: ok, failed or skipped; reason: one word for why it is not ok; detail: the original words;
attempts: how often it was tried; bytes, sha256: of the file the stage made, if it made one;
tool: the program that made it, with its version."""


def write_shard(path: str | Path, rows: Sequence[Mapping], extra: Sequence[str] = ()) -> None:
    """Write a stage's ledger of one shard: the columns of all ledgers, then the stage's own."""
    write_csv(path, [*COLUMNS, *extra], rows)


def read_shard(path: str | Path) -> list[dict[str, str]]:
    """The rows of one shard's ledger, as text."""
    return read_csv(path)


def merge(
    shards: Iterable[tuple[str, str | Path]],
    path: str | Path,
    more: Mapping[str, Sequence[Mapping[str, str]]] | None = None,
) -> list[dict[str, str]]:
    """Write the ledger of all stages, `mid,stage,status,...`; by stage as given, then by mid.

    shards: pairs of a stage's name and one of its shards' ledgers. more: rows of stages that have
    no such files, which come first; what is not known of a movie is left empty.
    """
    empty = dict.fromkeys(COLUMNS, "")
    stages: dict[str, list[dict[str, str]]] = {
        stage: [{"stage": stage} | empty | dict(row) for row in rows]
        for stage, rows in (more or {}).items()
    }
    for stage, shard in shards:
        stages.setdefault(stage, []).extend({"stage": stage} | row for row in read_csv(shard))
    rows = [row for stage in stages.values() for row in sorted(stage, key=lambda row: row["mid"])]
    columns = ["mid", "stage", *COLUMNS[1:]]
    write_csv(path, columns, ({name: row[name] for name in columns} for row in rows))
    return rows


def tools(rows: Iterable[Mapping[str, str]]) -> str:
    """The programs, with their versions, that made what is `ok`."""
    return ", ".join(sorted({row["tool"] for row in rows if row["status"] == "ok"}))


def count(rows: Iterable[Mapping[str, str]]) -> str:
    """A line of counts: `40 ok, 1 failed (truncated 1), 3 skipped (no_trailer 3)`."""
    rows = list(rows)
    words = []
    for status in ("ok", "failed", "skipped"):
        of_status = [row for row in rows if row["status"] == status]
        reasons = Counter(row["reason"] for row in of_status if row.get("reason"))
        told = ", ".join(f"{reason} {number}" for reason, number in sorted(reasons.items()))
        if of_status or status == "ok":
            words.append(f"{len(of_status)} {status}" + (f" ({told})" if told else ""))
    return ", ".join(words)


def failures(rows: Iterable[Mapping[str, str]]) -> list[dict]:
    """For each stage how many movies were tried and failed, and for which reasons.

    rows: of ledgers, with their `stage`.

    Rows with `stage`, `tried`, `failed`, `rate` (of those tried), `stopped` (not begun, since
    downloading was stopped) and `reasons`.
    """
    stages: dict[str, list[Mapping[str, str]]] = {}
    for row in rows:
        stages.setdefault(row["stage"], []).append(row)
    found = []
    for stage, of_stage in stages.items():
        tried = [row for row in of_stage if row["status"] != "skipped"]
        failed = [row for row in tried if row["status"] == "failed"]
        reasons = Counter(row["reason"] for row in failed)
        found.append(
            {
                "stage": stage,
                "tried": len(tried),
                "failed": len(failed),
                "rate": f"{len(failed) / max(1, len(tried)):.4f}",
                "stopped": sum(row["reason"] == "stopped" for row in of_stage),
                "reasons": ", ".join(f"{reason} {n}" for reason, n in sorted(reasons.items())),
            }
        )
    return found


def check(found: Iterable[Mapping], most: float, stopped: str) -> None:
    """Refuse a run of which too much has failed, or which was stopped. Raises `UserError`.

    found: of `failures`. stopped: why nothing may be downloaded now, if it is so.
    """
    for row in found:
        if row["stopped"]:
            raise UserError(
                f"{row['stage']}: {row['stopped']} were not begun, since downloading was stopped; "
                f"the same command goes on. {stopped}"
            )
        if float(row["rate"]) > most:
            raise UserError(
                f"{row['stage']}: {row['failed']} of {row['tried']} failed ({row['reasons']}), "
                f"and max_failure_rate is {most:g}; what else could be done is done"
            )
