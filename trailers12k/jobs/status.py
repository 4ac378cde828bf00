"""How far a run is: for each stage what is done, failed and waiting, and how long it will take.

Reads shards' ledgers, and the records of movies in shards that are not finished, so that it tells
the truth while a run goes on; writes results/status.csv. Must not know what the stages do.
"""

import json
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from trailers12k.common.files import read_csv, write_csv
from trailers12k.common.movie import Movie

COLUMNS = ["stage", "movies", "done", "failed", "skipped", "waiting", "bytes", "left", "reasons"]
"""left: an estimate of the seconds that those waiting will take; empty when there is none."""
RECENT = 200
"""Movies from whose times the speed of a stage is estimated."""
REST = 600.0
"""Seconds without a finished movie after which a stage is taken to have rested."""


def gather(
    shards: Mapping[str, Sequence[Movie]], stages: Mapping[str, Mapping[str, Path]]
) -> list[dict]:
    """A row with `COLUMNS` for each stage.

    shards: the movies of each shard. stages: stage -> shard -> the folder of its movies' records.
    """
    return [_stage(stage, shards, folders) for stage, folders in stages.items()]


def _stage(stage: str, shards: Mapping[str, Sequence[Movie]], folders: Mapping[str, Path]) -> dict:
    states: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    size = 0
    for shard, movies in shards.items():
        rows = _rows(Path(f"build/ledger/{stage}/{shard}.csv"), folders[shard], movies)
        for row in rows:
            stopped = row.get("reason") == "stopped"
            states["waiting" if stopped else row["status"]] += 1
            size += int(row.get("bytes") or 0)
            if row["status"] == "failed":
                reasons[row["reason"]] += 1
    total = sum(map(len, shards.values()))
    waiting = total - states["ok"] - states["failed"] - states["skipped"]
    speed = _speed(set(folders.values())) if waiting else None
    return {
        "stage": stage,
        "movies": total,
        "done": states["ok"],
        "failed": states["failed"],
        "skipped": states["skipped"],
        "waiting": waiting,
        "bytes": size,
        "left": round(waiting / speed) if speed else "",
        "reasons": ", ".join(f"{reason} {n}" for reason, n in reasons.most_common()),
    }


def _rows(ledger: Path, folder: Path, movies: Sequence[Movie]) -> Iterator[Mapping]:
    """The rows of a shard: of its ledger, or while its job runs, of its movies' records."""
    try:
        yield from read_csv(ledger)
        return
    except FileNotFoundError:
        pass
    for movie in movies:
        try:
            record = json.loads((folder / f"{movie.mid}.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        yield record["row"]


def _speed(folders: set[Path]) -> float | None:
    """Movies a second, from when the last ones were finished; None when that is not known."""
    times = []
    for folder in folders:
        if folder.is_dir():
            with os.scandir(folder) as entries:
                times += [e.stat().st_mtime for e in entries if e.name.endswith(".json")]
    times = sorted(times)[-RECENT:]
    for index in range(len(times) - 1, 0, -1):
        if times[index] - times[index - 1] > REST:
            times = times[index:]
            break
    if len(times) < 2 or times[-1] == times[0]:
        return None
    return (len(times) - 1) / (times[-1] - times[0])


def describe(rows: Sequence[Mapping], stopped: str, due: Mapping[str, Sequence[float]]) -> str:
    """The rows as a person wants them.

    stopped: why nothing may be downloaded now. due: stage -> when its failures are tried again,
        in seconds since 1970.
    """
    heads = ("done", 8), ("failed", 8), ("skipped", 9), ("waiting", 9), ("size", 10)
    head = "".join(f"{name:>{width}}" for name, width in (*heads, ("time left", 12)))
    lines = [f"{'stage':36}{head}"]
    for row in rows:
        lines.append(
            f"{row['stage']:36}{row['done']:>8,}{row['failed']:>8,}{row['skipped']:>9,}"
            f"{row['waiting']:>9,}{_size(row['bytes']):>10}{_duration(row['left']):>12}"
        )
        if row["reasons"]:
            lines.append(f"    failed: {row['reasons']}")
        if times := due.get(row["stage"]):
            wait = min(times) - time.time()
            when = f"in {_duration(wait)}" if wait > 0 else "in the next run"
            lines.append(f"    {len(times)} of them are tried again, the first {when}")
    if stopped:
        lines.append(f"Downloading was stopped: {stopped}")
    return "\n".join(lines)


def write(path: str | Path, rows: Sequence[Mapping]) -> None:
    """Write the rows as CSV."""
    write_csv(path, COLUMNS, rows)


def _size(number: int) -> str:
    if not number:
        return "-"
    value = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def _duration(seconds: float | str) -> str:
    if seconds == "":
        return "-"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / 86400:.0f} d"
