"""The outcome of a job: what `trailers12k run` shows of it, while it runs and at its end.

Reads and writes a small JSON file beside the job's log. Must not know what the job does.
"""

import json
import logging
import math
import os
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from trailers12k.common.bounded_files import read_small
from trailers12k.common.files import write_json
from trailers12k.common.vocabulary import FAILED, OK, SKIPPED
from trailers12k.jobs.ledger import read_shard

log = logging.getLogger(__name__)

RUN = "TRAILERS12K_RUN"
"""An environment variable: the id of the run that started this job."""

MOST_WARNINGS = 20
"""Warnings of a job that are kept; its log has all."""


@dataclass(frozen=True)
class Outcome:
    """What a job has said of itself.

    began: time in seconds since 1970. todo: mids of the movies that the job computes; their records
    are in the folders `records`, one for each store. counts: of the movies that need no work and,
    at the end, of all: `computed`, `kept`, `failed`, `skipped`. unchanged: the job found its result
    as it was. ended: whether the job reached its end. cost: of the earlier work, where the job put
    a result back, see `result_cache.Cost`. warnings: what it logged as a warning or an error, but
    for failures of movies. error: why it failed. permanent_in: the id of the run in which another
    attempt would fail as well; empty where more memory or another node may help.
    """

    began: float = 0.0
    todo: tuple[str, ...] = ()
    records: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    unchanged: bool = False
    ended: bool = False
    cost: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    error: str = ""
    permanent_in: str = ""


def outcome_file(log_file: str | os.PathLike[str]) -> Path:
    """The outcome of the job with this log."""
    return Path(log_file).with_suffix(".json")


def read_outcome(log_file: str | os.PathLike[str]) -> Outcome | None:
    """The outcome of the job with this log; None when there is none that can be read."""
    try:
        content = json.loads(read_small(outcome_file(log_file)))
        lists = {name: tuple(content[name]) for name in ("todo", "records", "warnings")}
        read = Outcome(**content | lists)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return read if _is_sound(read) else None


def _is_sound(read: Outcome) -> bool:
    """Whether an outcome that was read has the types that `OutcomeWriter` writes."""
    texts = (read.error, read.permanent_in, *read.todo, *read.records, *read.warnings)
    numbers = (read.began, *_values(read.counts), *_values(read.cost))
    return all(isinstance(text, str) for text in texts) and all(
        isinstance(number, int | float) and math.isfinite(number) for number in numbers
    )


def _values(mapping: object) -> Iterable[object]:
    return mapping.values() if isinstance(mapping, dict) else (None,)


def unchanged() -> None:
    """Say that this job found its result unchanged; the run counts it as checked."""
    log.info("the result is unchanged", extra={"outcome": {"unchanged": True}})


def put_back(cost: Mapping[str, float], ledgers: Sequence[str] = ()) -> None:
    """Say that this job put its earlier result back. cost: of the work that made it.

    ledgers: of a shard's movies, among the outputs. Their rows are counted, since some may be
    failures; a movie that failed in one of them is a failure.
    """
    said: dict[str, Any] = {"unchanged": True, "cost": cost}
    rows = [row for path in ledgers for row in read_shard(path)]
    if rows:
        states: dict[str, str] = {}
        for status in (SKIPPED, OK, FAILED):
            states |= {row["mid"]: status for row in rows if row["status"] == status}
        counts = Counter(states.values())
        kept = {"computed": 0, "kept": counts[OK]}
        said["counts"] = kept | {status: counts[status] for status in (FAILED, SKIPPED)}
        said["records"] = [os.path.splitext(path)[0] for path in ledgers]
    text = "the result of the same inputs and settings is put back"
    log.info(text, extra={"outcome": said})


class OutcomeWriter(logging.Handler):
    """Writes a job's outcome from its log records.

    A record's attribute `outcome` is a dict of fields of `Outcome`; so a module that logs needs to
    know nothing of this one. A warning with the attribute `mid` is a movie's failure.
    """

    def __init__(self, log_file: str | os.PathLike[str]):
        super().__init__()
        self._path = outcome_file(log_file)
        self._outcome = Outcome(began=time.time())
        self._write()

    def emit(self, record: logging.LogRecord) -> None:
        """Add what a record says."""
        change = getattr(record, "outcome", None)
        if change is None and self._is_warning(record):
            change = {"warnings": (*self._outcome.warnings, record.getMessage())}
        if change:
            self._outcome = replace(self._outcome, **change)
            self._write()

    def end(self) -> None:
        """Record that the job has reached its end."""
        self._outcome = replace(self._outcome, ended=True)
        self._write()

    def _is_warning(self, record: logging.LogRecord) -> bool:
        # Warnings of Python are for developers; the log has them.
        if record.levelno < logging.WARNING or record.name == "py.warnings":
            return False
        return not hasattr(record, "mid") and len(self._outcome.warnings) < MOST_WARNINGS

    def _write(self) -> None:
        try:
            write_json(self._path, asdict(self._outcome))
        except OSError:  # a full disk is the job's to report
            self.setLevel(logging.CRITICAL + 1)
