"""The ledger: one row per movie and stage, with its status, and the reason of every failure.

Reads and writes the ledgers of shards and the one of all stages. Must not know what the stages do.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from trailers12k.files import read_csv, write_csv

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


def merge(shards: Iterable[tuple[str, str | Path]], path: str | Path) -> list[dict[str, str]]:
    """Write the ledger of all stages, `mid,stage,status,...`; by stage as given, then by mid.

    shards: pairs of a stage's name and one of its shards' ledgers.
    """
    stages: dict[str, list[dict[str, str]]] = {}
    for stage, shard in shards:
        stages.setdefault(stage, []).extend({"stage": stage} | row for row in read_csv(shard))
    rows = [row for stage in stages.values() for row in sorted(stage, key=lambda row: row["mid"])]
    columns = ["mid", "stage", *COLUMNS[1:]]
    write_csv(path, columns, ({name: row[name] for name in columns} for row in rows))
    return rows


def count(rows: Iterable[Mapping[str, str]]) -> str:
    """A line of counts: `40 ok, 1 failed (truncated 1), 3 skipped (no_trailer 3)`."""
    rows = list(rows)
    words = []
    for status in ("ok", "failed", "skipped"):
        of_status = [row for row in rows if row["status"] == status]
        reasons = Counter(row["reason"] for row in of_status if row["reason"])
        told = ", ".join(f"{reason} {number}" for reason, number in sorted(reasons.items()))
        if of_status or status == "ok":
            words.append(f"{len(of_status)} {status}" + (f" ({told})" if told else ""))
    return ", ".join(words)
