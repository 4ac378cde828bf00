"""When failures are retried in later runs.

Reads and writes the open failures of each shard, `FOLDER/open/SHARD.json`, beside a stage's files:
Snakemake's next run derives from them which jobs to run again. Must not know how anything is
downloaded.
"""

import json
import time
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from trailers12k.common.files import inside, write_json
from trailers12k.common.local_files import ABSENT, state_of
from trailers12k.common.vocabulary import FAILED
from trailers12k.downloads.stop_signal import stop_reason
from trailers12k.jobs.ledger import LedgerRow
from trailers12k.jobs.reasons import is_final, is_requested, pause
from trailers12k.jobs.runner import Retry, read_record

NONE = "none"
"""As the user's `retry`: nothing is retried, even if it is due."""


@dataclass(frozen=True)
class LocalFiles:
    """The local files among a movie's addresses. states: by path; see `state_of`. alone: whether
    no address is on the web, so that no failure passes with time."""

    states: Mapping[str, str] = field(default_factory=dict)
    alone: bool = False


FilesOf = Callable[[str], LocalFiles]
"""mid -> its local files."""


@dataclass(frozen=True)
class OpenFailure:
    """A failure that may be retried.

    tried: time of the last attempt, in seconds since 1970. tool: the program that failed, with its
    version. files: the states of local files, by path. local: see `LocalFiles.alone`.
    """

    mid: str
    reason: str
    attempts: int
    tried: float
    tool: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    local: bool = False


@dataclass(frozen=True)
class RetryState:
    """What the job of a shard left open.

    round: number of its retry round. stopped: movies that were not begun.
    """

    round: int
    stopped: int
    failures: tuple[OpenFailure, ...] = field(default=())


def due_at(failure: OpenFailure, first_pause: float) -> float | None:
    """When a failure is retried, in seconds since 1970; None when time alone does not decide."""
    if failure.local or is_final(failure.reason, failure.attempts):
        return None
    return failure.tried + pause(failure.reason, failure.attempts, first_pause)


def is_due(failure: OpenFailure, first_pause: float, retry: str, now: float) -> bool:
    """Whether a failure is retried now.

    first_pause: seconds until the first retry; see `jobs.reasons.pause`.
    retry: what the user requests beyond that: `all`, or reasons joined by commas; or `none`.
    """
    if retry == NONE:
        return False
    if retry and is_requested(retry, failure.reason):
        return True
    if any(state_of(Path(path)) != state for path, state in failure.files.items()):
        return True
    if failure.local:
        return False
    tool = yt_dlp_version()
    if failure.reason == "extractor_broken" and tool and failure.tool not in (None, tool):
        return True
    at = due_at(failure, first_pause)
    return at is not None and now >= at


@cache
def yt_dlp_version() -> str:
    """yt-dlp's name and version; empty where it is not installed, as on nodes with GPUs."""
    try:
        return f"yt-dlp {version('yt-dlp')}"
    except PackageNotFoundError:
        return ""


def on_the_web(mid: str) -> LocalFiles:
    """The `FilesOf` of stages without local files."""
    return LocalFiles()


def retry_rule(files_of: FilesOf, first_pause: float, retry: str) -> Retry:
    """`is_due` as the `retry` of `jobs.runner.process`.

    Changed files are no part of it: a task's `others` hold their states.
    """
    now = time.time()
    return lambda row, tried: (
        row["status"] == FAILED
        and is_due(_open_failure(row, tried, files_of(row["mid"])), first_pause, retry, now)
    )


def _open_failure(row: LedgerRow, tried: float, files: LocalFiles) -> OpenFailure:
    return OpenFailure(
        row["mid"],
        row["reason"],
        int(row["attempts"]),
        tried,
        row.get("tool"),
        files.states,
        files.alone,
    )


def write_open(
    folder: Path,
    shard: str,
    retry_round: int,
    rows: Iterable[LedgerRow],
    files_of: FilesOf = on_the_web,
) -> None:
    """Write what a job left open: its failures, and the number of movies that were not begun.

    folder: of the movies' records. retry_round: the number of this one.
    """
    failures = []
    stopped = 0
    for row in rows:
        stopped += row.get("reason") == "stopped"
        if row["status"] == FAILED:
            record = read_record(folder, row["mid"])
            tried = record.time if record else 0.0
            failures.append(_open_failure(row, tried, files_of(row["mid"])))
    state = RetryState(retry_round, stopped, tuple(failures))
    write_json(open_file(folder, shard), asdict(state))
    hold_retries(folder, shard, hold=False)


def _read_open(path: Path) -> RetryState:
    content = json.loads(path.read_text(encoding="utf-8"))
    failures = tuple(map(_failure_of, content["failures"]))
    return RetryState(content["round"], content["stopped"], failures)


def _failure_of(content: dict[str, Any]) -> OpenFailure:
    """A failure as JSON; earlier versions named a missing file in `path`."""
    if missing := content.pop("path", ""):
        content |= {"files": {missing: ABSENT}, "local": True}
    return OpenFailure(**content)


def open_file(folder: Path, shard: str) -> Path:
    """Where `write_open` writes."""
    return inside(folder / "open", f"{shard}.json")


def hold_retries(folder: Path, shard: str, hold: bool) -> None:
    """Let no retry be due in a shard until its job runs for another reason, or end that."""
    mark = open_file(folder, shard).with_suffix(".held")
    if hold:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
    else:
        mark.unlink(missing_ok=True)


def next_retry_round(folder: Path, shard: str, first_pause: float, retry: str) -> int:
    """The number of a shard's retry round: one more than the last when a retry is due.

    It is a parameter of the shard's job, so that Snakemake runs the job again exactly then.
    """
    path = open_file(folder, shard)
    if not path.exists():
        return 0
    state = _read_open(path)
    if retry == NONE or (not retry and path.with_suffix(".held").exists()):
        return state.round
    now = time.time()
    due = any(is_due(failure, first_pause, retry, now) for failure in state.failures)
    return state.round + bool(due or (state.stopped and not stop_reason()))


def last_retry_round(folder: Path, shard: str) -> int:
    """The number of a shard's last retry round; 0 before its first job."""
    path = open_file(folder, shard)
    return _read_open(path).round if path.exists() else 0


def due_times(folder: Path, first_pause: float, mids: Container[str] | None = None) -> list[float]:
    """When the failures of all shards are retried, in seconds since 1970.

    mids: the movies of the list; None for every failure.
    """
    return [
        at
        for path in folder.glob("open/*.json")
        for failure in _read_open(path).failures
        if mids is None or failure.mid in mids
        if (at := due_at(failure, first_pause)) is not None
    ]
