"""Processes the movies of one shard: keeps what is done, does the rest, records each failure.

Reads and writes a record per movie, `FOLDER/MID.json`. A record is written as soon as its movie is
done, so a killed job loses one movie at most; it stays when its movie leaves the collection or
moves to another shard. Must not know what a stage does.
"""

import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from trailers12k.common.errors import Cancelled, Failure, Stop, UserError
from trailers12k.common.files import inside, write_json
from trailers12k.common.vocabulary import FAILED, OK, SKIPPED
from trailers12k.jobs.ledger import LedgerRow

log = logging.getLogger(__name__)


class StopSignal:
    """Tells the threads of a job not to begin another movie."""

    def __init__(self) -> None:
        self._reason = ""

    @property
    def reason(self) -> str:
        """Why no movie may be begun; empty while the job may go on."""
        return self._reason

    def set(self, reason: str) -> None:
        """Stop the job; the first reason is kept."""
        self._reason = self._reason or reason

    def stop(self, failure: Stop) -> None:
        """Stop the job because of a movie's failure."""
        self.set(str(failure))


def source_file(row: Mapping[str, str], rule: str) -> Path:
    """The file that a row of an earlier stage's ledger names.

    Raises `UserError` when it was removed since: this is not the movie's failure.
    """
    path = Path(row["file"])
    if not path.is_file():
        raise UserError(f"{path} was removed; fetch it again with --forcerun {rule}")
    return path


@dataclass(frozen=True)
class Task:
    """One movie's work in a stage.

    fingerprint: hash of everything that determines the result.
    products: the files or folders that the work makes; empty for the `file` of its row. The work is
        repeated when one is missing.
    skip: the reason why there is nothing to do, for example "no_trailer".
    others: what else may turn a failure into success, such as further addresses to try and the
        states of local files; when they change, a failure is tried again.
    """

    mid: str
    fingerprint: str = ""
    products: tuple[Path, ...] = ()
    skip: str = ""
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class MovieRecord:
    """The outcome of a movie's last attempt in a stage.

    fingerprint, others: of its task. row: of the ledger. time: of the attempt, in seconds since
    1970.
    """

    row: LedgerRow
    fingerprint: str = ""
    others: tuple[str, ...] = ()
    time: float = 0.0


def read_record(folder: Path, mid: str) -> MovieRecord | None:
    """The record of a movie; None when it was never tried. Raises `UserError` for a bad mid."""
    path = _record_file(folder, mid)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    content["others"] = tuple(content.get("others", ()))
    return MovieRecord(**content)


def _write_record(folder: Path, record: MovieRecord) -> None:
    write_json(_record_file(folder, record.row["mid"]), asdict(record))


def _record_file(folder: Path, mid: str) -> Path:
    return inside(folder, f"{mid}.json")


Retry = Callable[[LedgerRow, float], bool]
"""Whether to repeat a movie's unchanged task, by its row and the time of its last attempt."""


def never(row: LedgerRow, tried: float) -> bool:
    """The `Retry` that repeats nothing."""
    return False


def process(
    tasks: Iterable[Task],
    folder: Path,
    work: Callable[[str], dict[str, Any]],
    workers: int = 1,
    unit: str = "movie",
    retry: Retry = never,
    stop: StopSignal | None = None,
    tool: str = "",
) -> list[LedgerRow]:
    """Do the tasks of a shard; returns the rows of its ledger, sorted by mid.

    work: makes the product of one mid and returns the stage's own columns of its row. It raises
        `Failure` when the movie cannot be done, `Stop` when the job must not begin another movie,
        `Cancelled` when it was interrupted. Any other exception ends the job.
    workers: number of threads that call `work`. unit: what the progress bar counts.
    stop: a signal that others can set. A movie that was not begun because of it is `skipped` with
        the reason `stopped`, or keeps the row of its earlier failure.
    tool: the program that does the work, with its version, unless `work` returns it.
    """
    stop = stop or StopSignal()
    tasks = sorted(tasks, key=lambda task: task.mid)
    folder.mkdir(parents=True, exist_ok=True)
    rows: dict[str, LedgerRow] = {}
    pending: list[Task] = []
    for task in tasks:
        if task.skip:
            rows[task.mid] = {"mid": task.mid, "status": SKIPPED, "reason": task.skip}
        elif (row := _kept(folder, task, retry)) is not None:
            rows[task.mid] = row
        else:
            pending.append(task)
    kept = _number(rows, OK)
    counts = {"kept": kept, FAILED: _number(rows, FAILED), SKIPPED: _number(rows, SKIPPED)}
    todo = {"todo": [task.mid for task in pending], "records": str(folder), "counts": counts}
    log.info("%d of %d to do", len(pending), len(tasks), extra={"outcome": todo})
    attempt = partial(_attempt, _Stage(folder, work, stop, tool))
    pool = ThreadPoolExecutor(workers)
    try:
        done = tqdm(pool.map(attempt, pending), total=len(pending), unit=unit, disable=None)
        rows |= {row["mid"]: row for row in done}
    except BaseException as error:  # KeyboardInterrupt too
        stop.set(type(error).__name__)
        raise
    finally:
        pool.shutdown(wait=not stop.reason, cancel_futures=True)
    computed = _number(rows, OK) - kept
    failed, skipped = _number(rows, FAILED), _number(rows, SKIPPED)
    counts = {"computed": computed, "kept": kept, FAILED: failed, SKIPPED: skipped}
    said = {"counts": counts, "unchanged": not pending}
    text = "%d computed, %d kept, %d failed, %d skipped"
    log.info(text, *counts.values(), extra={"outcome": said})
    return [rows[task.mid] for task in tasks]


@dataclass(frozen=True)
class _Stage:
    """The parameters of `process` that every attempt needs."""

    folder: Path
    work: Callable[[str], dict[str, Any]]
    stop: StopSignal
    tool: str


def _attempt(stage: _Stage, task: Task) -> LedgerRow:
    """Do one movie's task, unless the job is stopped; returns its row."""
    earlier = read_record(stage.folder, task.mid)
    if earlier and earlier.fingerprint != task.fingerprint:
        attempts = 0
        unfinished: LedgerRow = {}
    else:
        attempts = earlier.row["attempts"] if earlier else 0
        unfinished = earlier.row if earlier and earlier.row["status"] == FAILED else {}
    unfinished = unfinished or {"mid": task.mid, "status": SKIPPED, "reason": "stopped"}
    if stage.stop.reason:
        return {"detail": stage.stop.reason} | unfinished
    row: LedgerRow = {"mid": task.mid, "status": OK, "attempts": attempts + 1}
    if stage.tool:
        row["tool"] = stage.tool
    # The work may replace the product, which must then not match the old record.
    _record_file(stage.folder, task.mid).unlink(missing_ok=True)
    try:
        row |= stage.work(task.mid)
    except Cancelled:
        if earlier:
            _write_record(stage.folder, earlier)
        return {"detail": stage.stop.reason} | unfinished
    except Failure as failure:
        row |= {"status": FAILED, "reason": failure.reason, "detail": failure.detail}
        log.warning("%s: %s", task.mid, failure, extra={"mid": task.mid})
        if isinstance(failure, Stop):
            stage.stop.stop(failure)
    _write_record(stage.folder, MovieRecord(row, task.fingerprint, task.others, time.time()))
    return row


def _number(rows: Mapping[str, LedgerRow], status: str) -> int:
    return sum(row["status"] == status for row in rows.values())


def _kept(folder: Path, task: Task, retry: Retry) -> LedgerRow | None:
    """The row of a movie whose task needs no new attempt, else None."""
    record = read_record(folder, task.mid)
    if record is None or record.fingerprint != task.fingerprint:
        return None
    row = record.row
    products = task.products or ((Path(row["file"]),) if row.get("file") else ())
    if row["status"] == OK and not all(product.exists() for product in products):
        return None
    if row["status"] == FAILED and record.others != task.others:
        return None
    return None if retry(row, record.time) else row
