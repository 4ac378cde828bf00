"""The progress of a run: for each stage what is done, failed and waiting, and the time left.

Reads the ledgers of finished shards, and the records of movies in the others, so that it is up to
date during a run; `write` writes a CSV file. Must not know what the stages do.
"""

import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from trailers12k.common.files import write_csv
from trailers12k.common.movie import Movie
from trailers12k.common.vocabulary import FAILED, OK, SKIPPED
from trailers12k.jobs.ledger import LedgerRow, read_shard
from trailers12k.jobs.runner import read_record

RECENT = 200
"""Number of movies from whose times the speed of a stage is estimated."""
LOST_BEFORE = ("no_trailer", "no_poster")
"""Reasons of movies that a stage skips because an earlier stage, which says why, lost them."""
IDLE = 600.0
"""Seconds without a finished movie that are taken for a break between runs."""


@dataclass(frozen=True)
class StageStatus:
    """The progress of a stage.

    movies: of the collection. done, failed, skipped, waiting: of these. bytes: of the files that
    the stage made. left: estimated seconds for the waiting movies, or None. reasons: of the
    failures, with counts, the most frequent first. skip_reasons: of the skipped movies, without
    those that an earlier stage lost.
    """

    stage: str
    movies: int
    done: int
    failed: int
    skipped: int
    waiting: int
    bytes: int
    left: int | None
    reasons: str
    skip_reasons: str = ""


COLUMNS = [field.name for field in fields(StageStatus)]


def gather(
    shards: Mapping[str, Sequence[Movie]],
    stages: Mapping[str, Mapping[str, Path]],
    earlier: Mapping[str, str] | None = None,
) -> list[StageStatus]:
    """The progress of each stage; changes no file.

    shards: shard -> its movies. stages: stage -> shard -> the folder of its movies' records, in the
    order of the flow. earlier: stage -> the stage whose lost movies it will skip.
    """
    lost: dict[str, set[str]] = {}
    rows = []
    for stage, folders in stages.items():
        unneeded = lost.get((earlier or {}).get(stage, ""), set())
        row, lost[stage] = _status(stage, shards, folders, unneeded)
        rows.append(row)
    return rows


def _status(
    stage: str,
    shards: Mapping[str, Sequence[Movie]],
    folders: Mapping[str, Path],
    unneeded: set[str],
) -> tuple[StageStatus, set[str]]:
    """The progress of a stage, and the mids of the movies that it lost.

    unneeded: mids that will be skipped, which counts as done even before their job comes to them.
    """
    counts: Counter[str] = Counter()
    reasons: dict[str, Counter[str]] = {FAILED: Counter(), SKIPPED: Counter()}
    lost, size = set(unneeded), 0
    for shard, movies in shards.items():
        unseen = unneeded & {movie.mid for movie in movies}
        for row in _rows(Path(f"build/ledger/{stage}/{shard}.csv"), folders[shard], movies):
            unseen.discard(row["mid"])
            size += int(row.get("bytes") or 0)
            if row.get("reason") == "stopped":
                continue
            counts[row["status"]] += 1
            if row["status"] in reasons:
                reasons[row["status"]][row["reason"]] += 1
                lost.add(row["mid"])
        counts[SKIPPED] += len(unseen)
    total = sum(map(len, shards.values()))
    waiting = total - counts.total()
    speed = _speed(set(folders.values())) if waiting else None
    for reason in LOST_BEFORE:
        del reasons[SKIPPED][reason]
    row_of_stage = StageStatus(
        stage,
        movies=total,
        done=counts[OK],
        failed=counts[FAILED],
        skipped=counts[SKIPPED],
        waiting=waiting,
        bytes=size,
        left=round(waiting / speed) if speed else None,
        reasons=_counted(reasons[FAILED]),
        skip_reasons=_counted(reasons[SKIPPED]),
    )
    return row_of_stage, lost


def _counted(reasons: Counter[str]) -> str:
    return ", ".join(f"{reason} {number}" for reason, number in reasons.most_common())


def _rows(ledger: Path, folder: Path, movies: Sequence[Movie]) -> Iterator[LedgerRow]:
    """The rows of a shard's ledger or, until its job is finished, of its movies' records.

    Until the next run a ledger holds rows of movies that are no longer listed; these are left out.
    """
    listed = {movie.mid for movie in movies}
    try:
        yield from (row for row in read_shard(ledger) if row["mid"] in listed)
        return
    except FileNotFoundError:
        pass
    for movie in movies:
        if record := read_record(folder, movie.mid):
            yield record.row


def _speed(folders: set[Path]) -> float | None:
    """Movies per second, from the times of the last records; None without two of them."""
    times: list[float] = []
    for folder in folders:
        if folder.is_dir():
            with os.scandir(folder) as entries:
                times += [e.stat().st_mtime for e in entries if e.name.endswith(".json")]
    times = sorted(times)[-RECENT:]
    for index in range(len(times) - 1, 0, -1):
        if times[index] - times[index - 1] > IDLE:
            times = times[index:]
            break
    if len(times) < 2 or times[-1] == times[0]:
        return None
    return (len(times) - 1) / (times[-1] - times[0])


def describe(
    stages: Sequence[StageStatus], stop_reason: str, due: Mapping[str, Sequence[float]]
) -> str:
    """The progress as a text table.

    stop_reason: why downloading is stopped, else empty. due: stage -> the times of its retries, in
    seconds since 1970.
    """
    heads = ("done", 8), ("failed", 8), ("skipped", 9), ("waiting", 9), ("size", 10)
    head = "".join(f"{name:>{width}}" for name, width in (*heads, ("time left", 12)))
    lines = [f"{'stage':36}{head}"]
    for stage in stages:
        lines.append(
            f"{stage.stage:36}{stage.done:>8,}{stage.failed:>8,}{stage.skipped:>9,}"
            f"{stage.waiting:>9,}{_size(stage.bytes):>10}{duration(stage.left):>12}"
        )
        if stage.reasons:
            lines.append(f"    failed: {stage.reasons}")
        if times := due.get(stage.stage):
            wait = min(times) - time.time()
            when = f"in {duration(wait)}" if wait > 0 else "in the next run"
            lines.append(f"    {len(times)} of them will be tried again, the first {when}")
        if stage.skip_reasons:
            lines.append(f"    skipped: {stage.skip_reasons}")
        if "no_weights" in stage.skip_reasons:
            where = f"the column detail in build/ledger/{stage.stage}/"
            lines.append(f"    no weights: {where} says why; every run tries again")
    if stop_reason:
        lines.append(f"Downloading is stopped: {stop_reason}")
    return "\n".join(lines)


def write(path: str | Path, stages: Sequence[StageStatus]) -> None:
    """Write the progress as CSV, with `COLUMNS`."""
    write_csv(path, COLUMNS, map(asdict, stages))


def _size(number: int) -> str:
    if not number:
        return "-"
    value = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def duration(seconds: float | None) -> str:
    """A time in its largest sensible unit; a dash for None."""
    if seconds is None:
        return "-"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / 86400:.0f} d"
