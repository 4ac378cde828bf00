"""When failures are tried again, and when nothing is downloaded at all.

Writes, beside a stage's files, what is still open in each shard (`open/SHARD.json`), from which the
next run sees that a shard's job must run again; and `build/stopped.json`. Must not know how
anything is downloaded.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from trailers12k.common.files import write_json
from trailers12k.downloads.stop_signal import stop_reason
from trailers12k.jobs import runner as shards
from trailers12k.jobs.reasons import is_asked, is_final, pause

NONE = "none"
"""As the user's `retry`: nothing is tried again, even if it is due."""


def due_at(failure: Mapping, first_pause: float) -> float | None:
    """When a failure is tried again, in seconds since 1970; None when only time cannot tell."""
    if failure.get("path") or is_final(failure["reason"], failure["attempts"]):
        return None
    return failure["tried"] + pause(failure["reason"], failure["attempts"], first_pause)


def is_due(failure: Mapping, first_pause: float, retry: str, now: float) -> bool:
    """Whether a failure is tried again now.

    failure: `reason`, `attempts`, `tried` (seconds since 1970), and where they are known `path`, a
        local file that was not there, and `tool`, what failed, with its version.
    first_pause: seconds until the first try of a later run; each is four times longer.
    retry: what the user asks for beyond that: `all`, or reasons joined by commas; or `none`.
    """
    reason = failure["reason"]
    if retry == NONE:
        return False
    if retry and is_asked(retry, reason):
        return True
    if failure.get("path"):
        return Path(failure["path"]).exists()
    if reason == "extractor_broken" and yt_dlp() and failure.get("tool") not in (None, yt_dlp()):
        return True
    at = due_at(failure, first_pause)
    return at is not None and now >= at


@cache
def yt_dlp() -> str:
    """yt-dlp's name and version; empty where it is not installed, as on a node for GPUs."""
    try:
        return f"yt-dlp {version('yt-dlp')}"
    except PackageNotFoundError:
        return ""


def again(
    path_of: Callable[[str], Path | None], first_pause: float, retry: str
) -> Callable[[Mapping, float], bool]:
    """`is_due` for `shards.process`. path_of: the local file that a mid's row is about, if any."""
    now = time.time()
    return lambda row, tried: (
        row["status"] == "failed"
        and is_due(failure_of(row, tried, path_of(row["mid"])), first_pause, retry, now)
    )


def failure_of(row: Mapping, tried: float, path: Path | None) -> dict:
    """What `is_due` must know of a failed row."""
    missing = path if path and row["reason"] == "unavailable" else None
    return {
        "mid": row["mid"],
        "reason": row["reason"],
        "attempts": int(row["attempts"]),
        "tried": tried,
        "path": missing.as_posix() if missing else "",
        "tool": row.get("tool"),
    }


def write_open(
    folder: Path,
    shard: str,
    number: int,
    rows: Iterable[Mapping],
    path_of: Callable[[str], Path | None] = lambda mid: None,
) -> None:
    """Write what a job has left open: its failures, and how many movies were not begun.

    folder: of the movies' records. number: of this round of tries.
    """
    rows = list(rows)
    failures = [
        failure_of(row, shards.tried(folder, row["mid"]), path_of(row["mid"]))
        for row in rows
        if row["status"] == "failed"
    ]
    waiting = sum(row.get("reason") == "stopped" for row in rows)
    left = {"round": number, "stopped": waiting, "failures": failures}
    write_json(open_file(folder, shard), left)
    hold_retries(folder, shard, hold=False)


def open_file(folder: Path, shard: str) -> Path:
    """Where `write_open` writes."""
    return folder / "open" / f"{shard}.json"


def hold_retries(folder: Path, shard: str, hold: bool) -> None:
    """Let nothing be due in a shard until its job runs for another reason, or end that."""
    mark = open_file(folder, shard).with_suffix(".held")
    if hold:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
    else:
        mark.unlink(missing_ok=True)


def next_retry_round(folder: Path, shard: str, first_pause: float, retry: str) -> int:
    """The number of a shard's round of tries: one more than the last when anything is due.

    It is a parameter of the shard's job, which so runs again when, and only when, there is
    something to try.
    """
    path = open_file(folder, shard)
    if not path.exists():
        return 0
    left = json.loads(path.read_text(encoding="utf-8"))
    if retry == NONE or (not retry and path.with_suffix(".held").exists()):
        return left["round"]
    now = time.time()
    due = any(is_due(failure, first_pause, retry, now) for failure in left["failures"])
    return left["round"] + bool(due or (left["stopped"] and not stop_reason()))


def due_times(folder: Path, first_pause: float) -> list[float]:
    """When the failures of all shards are tried again, in seconds since 1970."""
    times = []
    for path in folder.glob("open/*.json"):
        for failure in json.loads(path.read_text(encoding="utf-8"))["failures"]:
            if (at := due_at(failure, first_pause)) is not None:
                times.append(at)
    return times
