"""When failures are retried in later runs.

Reads and writes the open failures of each shard, `FOLDER/open/SHARD.json`, beside a stage's files:
Snakemake's next run derives from them which jobs to run again. Must not know how anything is
downloaded.
"""

import math
import os
import time
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from trailers12k.common.errors import UserError
from trailers12k.common.files import inside, read_json, reading, write_json
from trailers12k.common.local_files import ABSENT, state_of
from trailers12k.common.vocabulary import FAILED
from trailers12k.downloads.stop_signal import stop_reason
from trailers12k.jobs.ledger import LedgerRow
from trailers12k.jobs.reasons import is_final, is_requested, pause
from trailers12k.jobs.runner import Limits, Retry, read_record

NONE = "none"
"""As the user's `retry`: nothing is retried, even if it is due."""
NO_LIMITS: Limits = {}
"""Of stages in which no setting refuses a movie."""


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
    version. files: the states of local files, by path. local: see `LocalFiles.alone`. limits: that
    held for its reason; see `jobs.runner.Task`.
    """

    mid: str
    reason: str
    attempts: int
    tried: float
    tool: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    local: bool = False
    limits: tuple[str, ...] = ()


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


def is_due(
    failure: OpenFailure, first_pause: float, retry: str, now: float, limits: Limits = NO_LIMITS
) -> bool:
    """Whether a failure is retried now.

    first_pause: seconds until the first retry; see `jobs.reasons.pause`.
    retry: what the user requests beyond that: `all`, or reasons joined by commas; or `none`.
    limits: that hold now.
    """
    if retry == NONE:
        return False
    if retry and is_requested(retry, failure.reason):
        return True
    if any(state_of(Path(path)) != state for path, state in failure.files.items()):
        return True
    if failure.limits != limits.get(failure.reason, ()):
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

    Changed files and limits are no part of it: tasks hold them.
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
    refetched: tuple[Path, Iterable[LedgerRow]] | None = None,
) -> None:
    """Write what a job left open: its failures, and the number of movies that were not begun.

    folder: of the movies' records. retry_round: the number of this one. refetched: the folder of
    the records, and the rows, of movies whose files were to be fetched once more.
    """
    failures = []
    stopped = 0
    again, rows_again = refetched or (folder, [])
    for records, row in (*((folder, row) for row in rows), *((again, row) for row in rows_again)):
        stopped += row.get("reason") == "stopped"
        if row["status"] == FAILED:
            record = read_record(records, row["mid"])
            tried, limits = (record.time, record.limits) if record else (0.0, ())
            failure = _open_failure(row, tried, files_of(row["mid"]))
            failures.append(replace(failure, limits=limits))
    state = RetryState(retry_round, stopped, tuple(failures))
    write_json(open_file(folder, shard), asdict(state))
    hold_retries(folder, shard, hold=False)


def _read_open(path: Path) -> RetryState:
    """What a job left open. A damaged file counts as a round that no job has done yet, so that
    Snakemake runs the shard's job again; it writes the file anew."""
    try:
        with reading(path):
            content = read_json(path)
            failures = tuple(map(_failure_of, content["failures"]))
            numbers = content["round"], content["stopped"]
            if any(type(number) is not int for number in numbers):
                raise ValueError("its numbers are not whole")
            return RetryState(*numbers, failures)
    except (UserError, OSError):
        # Another number than that of any other damage.
        return RetryState(round=-int(path.lstat().st_mtime), stopped=0)


def _failure_of(content: dict[str, Any]) -> OpenFailure:
    """A failure as JSON; earlier versions named a missing file in `path`."""
    if missing := content.pop("path", ""):
        content |= {"files": {missing: ABSENT}, "local": True}
    content["limits"] = tuple(content.get("limits", ()))
    failure = OpenFailure(**content)
    texts = (failure.mid, failure.reason, *failure.files, *failure.files.values(), *failure.limits)
    if not all(isinstance(text, str) for text in texts) or type(failure.attempts) is not int:
        raise TypeError("a failure of other types")
    math.isfinite(failure.tried)
    return failure


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


def next_retry_round(
    folder: Path, shard: str, first_pause: float, retry: str, limits: Limits = NO_LIMITS
) -> int:
    """The number of a shard's retry round: one more than the last when a retry is due.

    It is a parameter of the shard's job, so that Snakemake runs the job again exactly then.
    """
    path = open_file(folder, shard)
    if not os.path.lexists(path):
        return 0
    state = _read_open(path)
    if retry == NONE or (not retry and path.with_suffix(".held").exists()):
        return state.round
    now = time.time()
    due = any(is_due(failure, first_pause, retry, now, limits) for failure in state.failures)
    return state.round + bool(due or (state.stopped and not stop_reason()))


def last_retry_round(folder: Path, shard: str) -> int:
    """The number of a shard's last retry round; 0 before its first job."""
    path = open_file(folder, shard)
    return _read_open(path).round if os.path.lexists(path) else 0


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
