"""Processes the movies of one shard: keeps what is done, does the rest, records each failure.

Reads and writes a record per movie, `FOLDER/MID.json`. A record is written as soon as its movie is
done, so a killed job loses one movie at most; it stays when its movie leaves the collection or
moves to another shard. Must not know what a stage does.
"""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from trailers12k.common.errors import Cancelled, Failure, Stop, UserError
from trailers12k.common.files import inside, read_json, sha256_of, write_json
from trailers12k.common.product_records import REPAIR
from trailers12k.common.vocabulary import FAILED, OK, SKIPPED, STATUSES
from trailers12k.jobs.ledger import LedgerRow
from trailers12k.jobs.reasons import FACTS

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


@contextmanager
def source_file(row: Mapping[str, str], rule: str) -> Iterator[Path]:
    """The file that a row of an earlier stage's ledger names, for work that reads it.

    Raises `UserError` when it was removed or damaged since, which is not the movie's failure. Its
    size is compared before the work, its sha256 when the work raises `Failure`.
    """
    path = Path(row["file"])
    if not path.exists():
        raise UserError(f"{path} was removed; fetch it again with --forcerun {rule}")
    size, whole = path.stat().st_size, size_of(row)
    if not path.is_file():
        raise UserError(f"{path} is not a file; run: {REPAIR}")
    if whole not in (None, size):
        raise UserError(f"{path} is damaged or was edited ({size} of {whole} bytes); run: {REPAIR}")
    try:
        yield path
    except Failure as failure:
        if whole is not None and row.get("sha256") and sha256_of(path) != row["sha256"]:
            raise UserError(
                f"{path} is damaged or was edited (another sha256); run: {REPAIR}"
            ) from failure
        raise


def size_of(row: Mapping[str, Any]) -> int | None:
    """The bytes of the file that a row names, as they were when its job wrote it.

    None where the row does not say: files of the user, and those of early versions.
    """
    return int(row["bytes"]) if row.get("bytes") else None


Limits = Mapping[str, tuple[str, ...]]
"""Reason of failures -> the settings, as KEY=VALUE, that refuse movies with this reason."""


@dataclass(frozen=True)
class Task:
    """One movie's work in a stage.

    fingerprint: hash of everything that determines the result.
    products: the files or folders that the work makes; empty for the `file` of its row. The work is
        repeated when one is missing.
    hashed: tables among the products whose content the record holds as a hash: the work is
        repeated when one was edited or damaged.
    skip: the reason why there is nothing to do, for example "no_trailer". detail: more about it.
    others: what else may turn a failure into success, such as further addresses to try and the
        states of local files; when they change, a failure is tried again.
    limits: a failure is tried again when those of its reason change.
    """

    mid: str
    fingerprint: str = ""
    products: tuple[Path, ...] = ()
    skip: str = ""
    detail: str = ""
    others: tuple[str, ...] = ()
    hashed: tuple[Path, ...] = ()
    limits: Limits = field(default_factory=dict)

    def limits_of(self, row: LedgerRow) -> tuple[str, ...]:
        """The limits that may have caused an outcome: those of a failure's reason."""
        return self.limits.get(row.get("reason", ""), ()) if row["status"] == FAILED else ()


@dataclass(frozen=True)
class MovieRecord:
    """The outcome of a movie's last attempt in a stage.

    fingerprint, others: of its task. row: of the ledger. time: of the attempt, in seconds since
    1970. limits: see `Task.limits_of`. hashes: of the `hashed` products of its task; none in a
    record of before they were kept.
    """

    row: LedgerRow
    fingerprint: str = ""
    others: tuple[str, ...] = ()
    time: float = 0.0
    limits: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()


def read_record(folder: Path, mid: str) -> MovieRecord | None:
    """The record of a movie; None when it was never tried, or the record is damaged or was edited:
    it is then tried again. Raises `UserError` for a bad mid."""
    path = _record_file(folder, mid)
    try:
        content = read_json(path)
        written = content.pop("sha256", "")  # records of before had none
        if written and written != _digest(content):
            return None
        for name in ("others", "limits", "hashes"):
            content[name] = tuple(content.get(name, ()))
        record = MovieRecord(**content)
    except (FileNotFoundError, UserError, TypeError):
        return None
    return record if _is_sound(record, mid) else None


def _is_sound(record: MovieRecord, mid: str) -> bool:
    """Whether a record has the types that this module writes, and is this movie's."""
    row = record.row
    return (
        isinstance(row, dict)
        and row.get("mid") == mid
        and row.get("status") in STATUSES
        and isinstance(row.get("reason", ""), str)
        and all(isinstance(row.get(name) or 0, int) for name in ("attempts", "bytes"))
        and isinstance(record.fingerprint, str)
        and all(isinstance(each, str) for each in (*record.others, *record.limits, *record.hashes))
        and isinstance(record.time, int | float)
    )


def _write_record(folder: Path, record: MovieRecord) -> None:
    content = asdict(record)
    write_json(_record_file(folder, record.row["mid"]), content | {"sha256": _digest(content)})


def amend(folder: Path, mid: str, columns: Mapping[str, Any]) -> LedgerRow:
    """Change columns of a movie's row after work outside its stage; returns the new row.

    Raises FileNotFoundError where the movie has no record that can be read.
    """
    record = read_record(folder, mid)
    if record is None:
        raise FileNotFoundError(_record_file(folder, mid))
    row = record.row | dict(columns)
    _write_record(folder, replace(record, row=row))
    return row


def _digest(content: Mapping[str, Any]) -> str:
    """The sha256 of a record, whether it was written to a file meanwhile or not."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


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
    stage = Stage("", folder, tuple(tasks), tool)
    rows = process_together([stage], lambda mid, names: {"": work(mid)}, workers, unit, retry, stop)
    return rows[""]


@dataclass(frozen=True)
class Stage:
    """One of several stages whose jobs are done in one pass over the movies of a shard.

    name: for the log; empty where there is one stage. folder: of its records. tool: the program
    that does the work, with its version, unless the work returns it.
    """

    name: str
    folder: Path
    tasks: Sequence[Task]
    tool: str = ""


def process_together(
    stages: Sequence[Stage],
    work: Callable[[str, list[str]], Mapping[str, dict[str, Any] | Failure]],
    workers: int = 1,
    unit: str = "movie",
    retry: Retry = never,
    stop: StopSignal | None = None,
) -> dict[str, list[LedgerRow]]:
    """Do the tasks of several stages, each movie once for all stages that lack it.

    work: makes the products of one mid for the stages of these names; returns by name the stages'
        own columns, or the `Failure` of a stage. What it raises concerns all of them.

    Returns the rows of each stage's ledger, sorted by mid. Otherwise as `process`.
    """
    stop = stop or StopSignal()
    rows: dict[str, dict[str, LedgerRow]] = {}
    pending: dict[str, list[_Attempt]] = {}
    for stage in stages:
        stage.folder.mkdir(parents=True, exist_ok=True)
        rows[stage.name] = {}
        for task in stage.tasks:
            if task.skip:
                rows[stage.name][task.mid] = _skipped(task)
            elif (row := _kept(stage.folder, task, retry)) is not None:
                rows[stage.name][task.mid] = row
            else:
                pending.setdefault(task.mid, []).append(_Attempt(stage, task))
    before = {name: set(of_stage) for name, of_stage in rows.items()}
    _log_start(stages, rows, pending)
    attempt = partial(_attempt, work=work, retry=retry, stop=stop)
    pool = ThreadPoolExecutor(workers)
    try:
        attempts = pool.map(attempt, [pending[mid] for mid in sorted(pending)])
        for done in tqdm(attempts, total=len(pending), unit=unit, disable=None):
            for name, row in done.items():
                rows[name][row["mid"]] = row
    except BaseException as error:  # KeyboardInterrupt too
        stop.set(type(error).__name__)
        raise
    finally:
        pool.shutdown(wait=not stop.reason, cancel_futures=True)
    _log_end(rows, before, pending)
    return {name: [of_stage[mid] for mid in sorted(of_stage)] for name, of_stage in rows.items()}


def _skipped(task: Task) -> LedgerRow:
    row = {"mid": task.mid, "status": SKIPPED, "reason": task.skip}
    return row | ({"detail": task.detail} if task.detail else {})


def _log_start(
    stages: Sequence[Stage], rows: Mapping[str, Mapping[str, LedgerRow]], pending: Collection[str]
) -> None:
    """Log how many movies each stage, and the job, must compute.

    A movie that any stage lacks counts once for the job.
    """
    for stage in filter(lambda each: each.name, stages):
        todo = len(stage.tasks) - len(rows[stage.name])
        log.info("%s: %d of %d to do", stage.name, todo, len(stage.tasks))
    states = _states(rows)
    left = {mid: state for mid, state in states.items() if mid not in pending}
    counts = {"kept": _count(left, OK)} | {each: _count(left, each) for each in (FAILED, SKIPPED)}
    outcome = {
        "todo": sorted(pending),
        "records": [str(stage.folder) for stage in stages],
        "counts": counts,
    }
    total = len(states.keys() | pending)
    log.info("%d of %d to do", len(pending), total, extra={"outcome": outcome})


def _log_end(
    rows: Mapping[str, Mapping[str, LedgerRow]],
    before: Mapping[str, Collection[str]],
    pending: Collection[str],
) -> None:
    """Log what was done, per stage and per movie. before: mids of the rows that were kept."""
    text = "%d computed, %d kept, %d failed, %d skipped"
    for name, of_stage in rows.items():
        if not name:
            continue
        states = {mid: row["status"] for mid, row in of_stage.items()}
        log.info("%s: " + text, name, *_counts(states, before[name]).values())
    states = _states(rows)
    counts = _counts(states, states.keys() - pending)
    said = {"counts": counts, "unchanged": not pending}
    log.info(text, *counts.values(), extra={"outcome": said})


def _states(rows: Mapping[str, Mapping[str, LedgerRow]]) -> dict[str, str]:
    """mid -> its status in all stages: failed in one, else ok in one, else skipped."""
    states: dict[str, str] = {}
    for status in (SKIPPED, OK, FAILED):
        for of_stage in rows.values():
            states |= {mid: status for mid, row in of_stage.items() if row["status"] == status}
    return states


def _count(states: Mapping[str, str], status: str) -> int:
    return list(states.values()).count(status)


def _counts(states: Mapping[str, str], kept: Collection[str]) -> dict[str, int]:
    """The counts of an outcome. kept: mids that were not tried."""
    computed = sum(state == OK and mid not in kept for mid, state in states.items())
    return {
        "computed": computed,
        "kept": _count(states, OK) - computed,
        FAILED: _count(states, FAILED),
        SKIPPED: _count(states, SKIPPED),
    }


@dataclass(frozen=True)
class _Attempt:
    """A task of a stage."""

    stage: Stage
    task: Task

    @property
    def name(self) -> str:
        return self.stage.name

    @property
    def folder(self) -> Path:
        return self.stage.folder


def _attempt(
    attempts: Sequence[_Attempt],
    work: Callable[[str, list[str]], Mapping[str, dict[str, Any] | Failure]],
    retry: Retry,
    stop: StopSignal,
) -> dict[str, LedgerRow]:
    """Do one movie's tasks, unless the job is stopped; returns its rows by the stages' names."""
    mid = attempts[0].task.mid
    # Another job of the shard may have done some meanwhile.
    found = {each.name: _kept(each.folder, each.task, retry) for each in attempts}
    rows = {name: row for name, row in found.items() if row is not None}
    attempts = [each for each in attempts if each.name not in rows]
    if not attempts:
        return rows
    earlier = {each.name: read_record(each.folder, mid) for each in attempts}
    unfinished = {each.name: _unfinished(each.task, earlier[each.name]) for each in attempts}
    if stop.reason:
        return rows | {name: {"detail": stop.reason} | row for name, row in unfinished.items()}
    # The work may replace the products, which must then not match the old records.
    for each in attempts:
        _record_file(each.folder, mid).unlink(missing_ok=True)
    made: Mapping[str, dict[str, Any] | Failure] = {}
    try:
        made = work(mid, [each.name for each in attempts])
    except Cancelled:
        for each in attempts:
            if record := earlier[each.name]:
                _write_record(each.folder, record)
        return rows | {name: {"detail": stop.reason} | row for name, row in unfinished.items()}
    except Failure as failure:
        made = {each.name: failure for each in attempts}
        if isinstance(failure, Stop):
            stop.stop(failure)
    for fault in dict.fromkeys(each for each in made.values() if isinstance(each, Failure)):
        log.warning("%s: %s", mid, fault, extra={"mid": mid})
    for each in attempts:
        record = earlier[each.name]
        tries = 1 + (
            _tries(record) if record and record.fingerprint == each.task.fingerprint else 0
        )
        row: LedgerRow = {"mid": mid, "status": OK, "attempts": tries}
        tool = each.stage.tool
        row |= ({"tool": tool} if tool else {}) | _columns(made[each.name])
        task, limits = each.task, each.task.limits_of(row)
        hashes = _hashes(task) if row["status"] == OK else ()
        finished = MovieRecord(row, task.fingerprint, task.others, time.time(), limits, hashes)
        _write_record(each.folder, finished)
        rows[each.name] = row
    return rows


def _columns(made: dict[str, Any] | Failure) -> dict[str, Any]:
    """The columns of a stage's row."""
    if isinstance(made, Failure):
        status = SKIPPED if made.reason in FACTS else FAILED
        return {"status": status, "reason": made.reason, "detail": made.detail}
    return made


def _tries(record: MovieRecord) -> int:
    """The attempts until now. One that failed for the disk says nothing of the movie: without it
    the ledger is the same when there is space again."""
    row = record.row
    tries: int = row.get("attempts") or 0
    return max(0, tries - 1) if row.get("reason") == "local_io" else tries


def _hashes(task: Task) -> tuple[str, ...]:
    return tuple(map(sha256_of, task.hashed))


def _unfinished(task: Task, earlier: MovieRecord | None) -> LedgerRow:
    """The row of a movie that is not begun: that of its earlier failure, else `stopped`."""
    if earlier and earlier.fingerprint == task.fingerprint and earlier.row["status"] == FAILED:
        return earlier.row
    return {"mid": task.mid, "status": SKIPPED, "reason": "stopped"}


def _kept(folder: Path, task: Task, retry: Retry) -> LedgerRow | None:
    """The row of a movie whose task needs no new attempt, else None."""
    record = read_record(folder, task.mid)
    if record is None or record.fingerprint != task.fingerprint:
        return None
    row = record.row
    if row["status"] == OK and not _is_there(task, row):
        return None
    if row["status"] == OK and record.hashes and record.hashes != _hashes(task):
        return None
    if row["status"] == FAILED and record.others != task.others:
        return None
    if record.limits != task.limits_of(row):
        return None
    return None if retry(row, record.time) else row


def _is_there(task: Task, row: LedgerRow) -> bool:
    """Whether all products exist, and the `file` of the row has the size that it had."""
    if task.products or not row.get("file"):
        return all(product.exists() for product in task.products)
    file = Path(row["file"])
    if not file.is_file():  # a folder in its place is not the job's to remove
        return file.exists()
    return size_of(row) in (None, file.stat().st_size)
