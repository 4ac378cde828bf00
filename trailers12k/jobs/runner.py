"""Work through the movies of one shard: keep what is done, do the rest, one failure is one row.

Reads and writes a record per movie, `FOLDER/MID.json`: the movie's row of the ledger, the
fingerprint of what it was made from, and when. A record is written the moment its movie is done, so
a killed job loses one movie at most. It stays when its movie leaves: should the movie come back, or
go to another shard, nothing is done again. Must not know what a stage does.
"""

import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from trailers12k.common.errors import Cancelled, Failure, Stop, UserError
from trailers12k.common.files import inside, write_json

log = logging.getLogger(__name__)


class StopSignal:
    """What the threads of a job look at before they begin or go on: has something stopped it?"""

    def __init__(self) -> None:
        self._reason = ""

    @property
    def reason(self) -> str:
        """Why nothing shall be begun any more; empty while all is well."""
        return self._reason

    def set(self, reason: str) -> None:
        """Stop the job; the first reason counts."""
        self._reason = self._reason or reason

    def stop(self, failure: Stop) -> None:
        """Stop the job since a movie failed in this way."""
        self.set(str(failure))


def source_file(row: Mapping[str, str], rule: str) -> Path:
    """The file that a row of an earlier stage's ledger names.

    Raises `UserError` when it was taken away since: no fault of this movie, and no row of a ledger.
    """
    path = Path(row["file"])
    if not path.is_file():
        raise UserError(f"{path} is gone: fetch it again with --forcerun {rule}")
    return path


@dataclass(frozen=True)
class Task:
    """One movie's work in a stage.

    fingerprint: hash of everything that determines the result.
    products: the files or folders that the work makes, where they are not the `file` of its row;
        when one is missing, the work is done again.
    skip: why there is nothing to do here, for example "no_trailer".
    others: what might be used instead; when it changes, a failure is tried again.
    """

    mid: str
    fingerprint: str = ""
    products: tuple[Path, ...] = ()
    skip: str = ""
    others: tuple[str, ...] = ()


def process(
    tasks: Iterable[Task],
    folder: Path,
    work: Callable[[str], dict],
    workers: int = 1,
    unit: str = "movie",
    retry: Callable[[Mapping, float], bool] = lambda row, tried: False,
    stop: StopSignal | None = None,
    tool: str = "",
) -> list[dict]:
    """Do the tasks of a shard; the rows of its ledger, sorted by mid.

    work: makes the product of one mid and returns the further columns of its row; raises `Failure`
        when this movie cannot be done, `Stop` when besides no other shall be begun, `Cancelled`
        when it was broken off. Any other exception ends the job, as a fault of ours should.
    workers: threads that call `work`. unit: what the progress bar counts.
    retry: whether a movie, of which it gets the row and when it was tried (seconds since 1970), is
        done again although nothing has changed.
    stop: for those who stop the job from outside. A movie that was not begun because of it is
        `skipped: stopped`, or keeps the row of its earlier failure.
    tool: the program that does the work, with its version, where `work` does not tell it.
    """
    stop = stop or StopSignal()
    tasks = sorted(tasks, key=lambda task: task.mid)
    folder.mkdir(parents=True, exist_ok=True)
    rows, open_tasks = {}, []
    for task in tasks:
        if task.skip:
            rows[task.mid] = {"mid": task.mid, "status": "skipped", "reason": task.skip}
        elif (row := _kept(folder, task, retry)) is not None:
            rows[task.mid] = row
        else:
            open_tasks.append(task)
    kept = sum(row["status"] == "ok" for row in rows.values())

    def one(task: Task) -> dict:
        earlier = _read(folder, task.mid)
        stopped = {"mid": task.mid, "status": "skipped", "reason": "stopped"}
        again = earlier is not None and earlier["fingerprint"] == task.fingerprint
        if again and earlier["row"]["status"] == "failed":
            stopped = earlier["row"]
        if stop.reason:
            return {"detail": stop.reason} | stopped
        attempts = earlier["row"]["attempts"] + 1 if again else 1
        row = {"mid": task.mid, "status": "ok", "attempts": attempts} | (
            {"tool": tool} if tool else {}
        )
        # The work may replace the product, which must not then be found under the old record.
        _record(folder, task.mid).unlink(missing_ok=True)
        try:
            row |= work(task.mid)
        except Cancelled:
            if earlier:
                write_json(_record(folder, task.mid), earlier)
            return {"detail": stop.reason} | stopped
        except Failure as failure:
            row |= {"status": "failed", "reason": failure.reason, "detail": failure.detail}
            log.warning("%s: %s", task.mid, failure)
            if isinstance(failure, Stop):
                stop.stop(failure)
        record = {"fingerprint": task.fingerprint, "others": task.others, "time": time.time()}
        write_json(_record(folder, task.mid), record | {"row": row})
        return row

    pool = ThreadPoolExecutor(workers)
    try:
        done = tqdm(pool.map(one, open_tasks), total=len(open_tasks), unit=unit, disable=None)
        rows |= {row["mid"]: row for row in done}
    except BaseException as error:  # KeyboardInterrupt too
        stop.set(type(error).__name__)
        raise
    finally:
        pool.shutdown(wait=not stop.reason, cancel_futures=True)
    failed = sum(row["status"] == "failed" for row in rows.values())
    skipped = sum(row["status"] == "skipped" for row in rows.values())
    computed = sum(rows[task.mid]["status"] == "ok" for task in open_tasks)
    log.info("%d computed, %d kept, %d failed, %d skipped", computed, kept, failed, skipped)
    return [rows[task.mid] for task in tasks]


def tried(folder: Path, mid: str) -> float | None:
    """When a movie was last tried, in seconds since 1970; None when it never was."""
    record = _read(folder, mid)
    return record.get("time", 0.0) if record else None


def _record(folder: Path, mid: str) -> Path:
    return inside(folder, f"{mid}.json")


def _read(folder: Path, mid: str) -> dict | None:
    path = _record(folder, mid)
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def _kept(folder: Path, task: Task, retry: Callable[[Mapping, float], bool]) -> dict | None:
    record = _read(folder, task.mid)
    if record is None or record["fingerprint"] != task.fingerprint:
        return None
    row = record["row"]
    products = task.products or ([Path(row["file"])] if row.get("file") else [])
    if row["status"] == "ok" and not all(product.exists() for product in products):
        return None
    if row["status"] == "failed" and record.get("others", []) != list(task.others):
        return None
    if retry(row, record.get("time", 0.0)):
        return None
    return row
