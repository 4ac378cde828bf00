"""Work through the movies of one shard: keep what is done, do the rest, one failure is one row.

Reads and writes a record per movie, `FOLDER/MID.json`: the movie's row of the ledger and the
fingerprint of what it was made from. A record is written the moment its movie is done, so a killed
job loses one movie at most. It stays when its movie leaves: should the movie come back, or go to
another shard, nothing is done again. Must not know what a stage does.
"""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from trailers12k.files import write_json
from trailers12k.jobs import UserError

log = logging.getLogger(__name__)


class Failure(Exception):
    """What went wrong with one movie: a reason (one word, from a fixed list) and the details."""

    def __init__(self, reason: str, detail: str):
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = " ".join(detail.split())


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
    product: the file or folder that the work makes, where it is not the `file` of its row; when it
        is missing, it is made again.
    skip: why there is nothing to do here, for example "no_trailer".
    """

    mid: str
    fingerprint: str = ""
    product: Path | None = None
    skip: str = ""


def process(
    tasks: Iterable[Task],
    folder: Path,
    work: Callable[[str], dict],
    workers: int = 1,
    unit: str = "movie",
    retry: Callable[[str], bool] = lambda reason: False,
) -> list[dict]:
    """Do the tasks of a shard; the rows of its ledger, sorted by mid.

    work: makes the product of one mid and returns the further columns of its row; raises `Failure`
        when this movie cannot be done. Any other exception ends the job, as a fault of ours should.
    workers: threads that call `work`. unit: what the progress bar counts.
    retry: whether a failure of this reason is tried again although nothing has changed.
    """
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
        row = {"mid": task.mid, "status": "ok", "attempts": _attempts(folder, task) + 1}
        # The work may replace the product, which must not then be found under the old record.
        _record(folder, task.mid).unlink(missing_ok=True)
        try:
            row |= work(task.mid)
        except Failure as failure:
            row |= {"status": "failed", "reason": failure.reason, "detail": failure.detail}
            log.warning("%s: %s", task.mid, failure)
        write_json(_record(folder, task.mid), {"fingerprint": task.fingerprint, "row": row})
        return row

    with ThreadPoolExecutor(workers) as pool:
        done = tqdm(pool.map(one, open_tasks), total=len(open_tasks), unit=unit, disable=None)
        rows |= {row["mid"]: row for row in done}
    failed = sum(row["status"] == "failed" for row in rows.values())
    skipped = sum(row["status"] == "skipped" for row in rows.values())
    computed = sum(rows[task.mid]["status"] == "ok" for task in open_tasks)
    log.info("%d computed, %d kept, %d failed, %d skipped", computed, kept, failed, skipped)
    return [rows[task.mid] for task in tasks]


def _record(folder: Path, mid: str) -> Path:
    return folder / f"{mid}.json"


def _read(folder: Path, mid: str) -> dict | None:
    path = _record(folder, mid)
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def _kept(folder: Path, task: Task, retry: Callable[[str], bool]) -> dict | None:
    record = _read(folder, task.mid)
    if record is None or record["fingerprint"] != task.fingerprint:
        return None
    row = record["row"]
    product = task.product or (row.get("file") and Path(row["file"]))
    if row["status"] == "ok" and product and not product.exists():
        return None
    if row["status"] == "failed" and retry(row["reason"]):
        return None
    return row


def _attempts(folder: Path, task: Task) -> int:
    record = _read(folder, task.mid)
    return record["row"]["attempts"] if record else 0
