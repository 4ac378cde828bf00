"""The progress of a run: for each stage what is done, failed and checked, and the time left.

Reads the outcomes of jobs and, of the jobs at work, the records of their movies, as `trailers12k
status` does. Must not know Snakemake, nor how progress is shown.
"""

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from trailers12k.common.bounded_files import read_small
from trailers12k.common.errors import UserError
from trailers12k.common.text import one_line
from trailers12k.common.vocabulary import FAILED, OK, SKIPPED
from trailers12k.jobs.ledger import LedgerRow
from trailers12k.jobs.outcome import Outcome, read_outcome
from trailers12k.jobs.runner import read_record
from trailers12k.workflow.run_display.plan import PlannedJob

MOST_MESSAGES = 10
"""Failures and warnings of a stage that are shown; its ledgers and logs have all."""
LONGEST = 300
"""Characters of a message."""
LONGEST_TITLE = 60
LITTLE = 1 << 20
"""Bytes: with less free, a job may be unable to write its reason."""
SURE = 5.0
"""Seconds at a stage before the time that it needs is estimated."""


@dataclass(frozen=True)
class StageProgress:
    """How far a stage is.

    unit: movies or jobs. total, done, failed, skipped, checked: numbers of them; a checked one was
    found unchanged, and is done too. failed_jobs: jobs of movies that failed. at_work: whether a
    job runs. finished: whether all jobs ended. left: estimated seconds, or None.
    """

    stage: str
    unit: str
    total: int
    done: int
    failed: int = 0
    skipped: int = 0
    checked: int = 0
    failed_jobs: int = 0
    at_work: bool = False
    finished: bool = False
    left: float | None = None

    @property
    def ended(self) -> int:
        """How many are done, failed or skipped."""
        return self.done + self.failed + self.skipped


@dataclass
class _Job:
    """A job, and what is known of its movies. seen: mid -> its row, of those of this run."""

    planned: PlannedJob
    state: str = "waiting"
    outcome: Outcome | None = None
    seen: dict[str, LedgerRow] = field(default_factory=dict)
    times: dict[Path, int] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        """Movies, or this one job: done, failed, skipped, checked."""
        if self.planned.movies and self.outcome and self.outcome.counts:
            counts = self.outcome.counts
            is_final = "computed" in counts
            rows = [] if is_final else [row["status"] for row in self.seen.values()]
            return {
                "done": counts.get("computed", 0) + counts["kept"] + rows.count(OK),
                FAILED: counts[FAILED] + rows.count(FAILED),
                SKIPPED: counts[SKIPPED] + rows.count(SKIPPED),
                "checked": counts["kept"],
            }
        number = len(self.planned.movies) or 1
        is_unchanged = self.outcome is not None and self.outcome.unchanged
        return {
            "done": number * (self.state == "done"),
            FAILED: number * (self.state == FAILED and not self.planned.movies),
            SKIPPED: 0,
            "checked": number * (self.state == "done" and is_unchanged),
        }


class RunProgress:
    """The jobs of a run and the stages that they make up."""

    def __init__(self) -> None:
        self._jobs: dict[str, _Job] = {}
        self._titles: Mapping[str, str] = {}
        self._began: dict[str, tuple[float, int]] = {}
        self._messages: dict[tuple[str, str], int] = {}

    def plan(self, jobs: Sequence[PlannedJob], titles: Mapping[str, str]) -> None:
        """Set the jobs that are to run; those that are known keep their state.

        titles: mid -> title of the movies.
        """
        for job in jobs:
            if job.number in self._jobs:
                self._jobs[job.number].planned = job
            else:
                self._jobs[job.number] = _Job(job)
        self._titles = titles

    def knows(self, number: str) -> bool:
        """Whether a job is planned."""
        return number in self._jobs

    @property
    def failed_jobs(self) -> int:
        """How many jobs have failed."""
        return sum(job.state == FAILED for job in self._jobs.values())

    def start(self, number: str) -> None:
        """A job starts, perhaps again after it failed."""
        if job := self._jobs.get(number):
            self._jobs[number] = _Job(job.planned, "running")

    def finish(self, number: str) -> list[str]:
        """A job has ended; returns messages."""
        job = self._jobs.get(number)
        if job is None:
            return []
        messages = list(self._look_at(job))
        job.state = "done"
        stage = job.planned.stage
        messages += self._limited(stage, list(self._earlier_failures(job)), "earlier failures")
        if job.outcome:
            texts = [f"warning: {stage}: {text}" for text in job.outcome.warnings]
            messages += self._limited(stage, texts)
        return messages

    def fail(self, number: str, text: str = "", log: str = "") -> list[str]:
        """A job has failed; returns messages. text: what Snakemake says of it. log: its log."""
        job = self._jobs.get(number)
        if job is None:
            return [f"failed: {text or 'a job'}" + (f"; see {log}" if log else "")]
        messages = list(self._look_at(job))
        job.state = FAILED
        planned, log = job.planned, log or job.planned.log
        error = job.outcome.error if job.outcome else ""
        reason = error or text or _without_reason(log)
        line = f"failed: {planned.stage}: {one_line(reason)} (job {planned.name}; log: {log})"
        return messages + self._limited(planned.stage, [line])

    def interrupt(self, number: str) -> None:
        """A job has ended because the run was stopped; the next run repeats it."""
        if job := self._jobs.get(number):
            job.state = "waiting"

    def look(self) -> list[str]:
        """Read what the jobs at work have written since; returns messages."""
        running = [job for job in self._jobs.values() if job.state == "running"]
        return [text for job in running for text in self._look_at(job)]

    def stages(self) -> list[StageProgress]:
        """The stages in their order."""
        jobs = sorted(self._jobs.values(), key=lambda job: (job.planned.place, job.planned.stage))
        return [
            self._stage(stage, list(of_stage))
            for stage, of_stage in groupby(jobs, key=lambda job: job.planned.stage)
        ]

    def _stage(self, stage: str, jobs: Sequence[_Job]) -> StageProgress:
        counted = [job for job in jobs if job.planned.movies] or jobs
        of_movies = bool(counted[0].planned.movies)
        numbers = [job.counts for job in counted]
        total = sum(len(job.planned.movies) or 1 for job in counted)
        done, failed, skipped, checked = (
            sum(each[name] for each in numbers) for name in ("done", FAILED, SKIPPED, "checked")
        )
        ended = done + failed + skipped
        at_work = any(job.state == "running" for job in jobs)
        return StageProgress(
            stage,
            "movies" if of_movies else "jobs",
            total,
            done,
            failed,
            skipped,
            checked,
            failed_jobs=sum(job.state == FAILED for job in jobs) if of_movies else 0,
            at_work=at_work,
            finished=all(job.state in ("done", FAILED) for job in jobs),
            left=self._time_left(stage, ended, total) if at_work else None,
        )

    def _time_left(self, stage: str, ended: int, total: int) -> float | None:
        """Seconds, from the speed since the stage's first job started; None until it is known."""
        now = time.monotonic()
        began, before = self._began.setdefault(stage, (now, ended))
        if now - began < SURE or ended <= before or ended >= total:
            return None
        return (total - ended) * (now - began) / (ended - before)

    def _look_at(self, job: _Job) -> Iterator[str]:
        """Read a job's outcome and the records of its movies; messages about failures."""
        if not job.planned.log:
            return
        job.outcome = read_outcome(job.planned.log) or job.outcome
        if job.outcome is None:
            return
        failures = []
        for mid in job.outcome.todo:
            if mid not in job.seen and (row := _new_row(job, mid)):
                job.seen[mid] = row
                if row["status"] == FAILED:
                    failures.append(f"failed: {job.planned.stage}: {self._described(row)}")
        yield from self._limited(job.planned.stage, failures)

    def _earlier_failures(self, job: _Job) -> Iterator[str]:
        """Messages about movies that failed before this run, and were not tried in it."""
        outcome = job.outcome
        untried = [mid for mid in job.planned.movies if mid not in job.seen]
        new = [row["status"] for row in job.seen.values()].count(FAILED)
        left = outcome.counts.get(FAILED, 0) - new if outcome and outcome.records else 0
        for mid in untried:
            if left <= 0 or outcome is None:
                return
            rows = [_read_row(Path(folder, f"{mid}.json")) for folder in outcome.records]
            row = next((row for row in rows if row and row["status"] == FAILED), None)
            if row:
                left -= 1
                yield f"failed in an earlier run: {job.planned.stage}: {self._described(row)}"

    def _described(self, row: LedgerRow) -> str:
        mid, reason = row["mid"], row.get("reason", "")
        detail = one_line(str(row.get("detail") or ""))
        title = self._titles.get(mid)
        movie = f"{_cut(one_line(title), LONGEST_TITLE)} ({mid})" if title else mid
        return f"{movie}: {reason}" + (f": {detail}" if detail and detail != reason else "")

    def _limited(self, stage: str, texts: Sequence[str], kind: str = "messages") -> list[str]:
        """The messages of a stage, until there are too many of a kind."""
        before = self._messages.get((stage, kind), 0)
        self._messages[stage, kind] = before + len(texts)
        shown = [_cut(text) for text in texts[: max(0, MOST_MESSAGES - before)]]
        if before < MOST_MESSAGES <= before + len(texts):
            shown.append(f"{stage}: further {kind} are not shown; see trailers12k status")
        return shown


def _new_row(job: _Job, mid: str) -> LedgerRow | None:
    """The row of a movie that the running job has tried; None while it has not.

    The stores that lack a movie have it tried at once, so one record with a new time is enough.
    """
    assert job.outcome  # nosec B101  # for mypy
    for folder in job.outcome.records:
        path = Path(folder, f"{mid}.json")
        try:
            modified = path.stat().st_mtime_ns
            if job.times.get(path) == modified:
                continue
            job.times[path] = modified
            record = read_record(path.parent, mid)
        except (OSError, ValueError, TypeError, KeyError, UserError):
            continue
        if record and record.time >= job.outcome.began:
            return record.row
    return None


def _read_row(path: Path) -> LedgerRow | None:
    """The row of a movie's record; None for one that cannot be read."""
    try:
        record = read_record(path.parent, path.stem)
    except (OSError, ValueError, TypeError, KeyError, UserError):
        return None
    return record.row if record else None


def _cut(text: str, longest: int = LONGEST) -> str:
    return text if len(text) <= longest else text[: longest - 4] + " ..."


def _without_reason(log: str) -> str:
    """What is known of a job that ended without a reason: where the disk is full, it has none."""
    if shutil.disk_usage(".").free < LITTLE:
        return "the disk is full; free some space, then run the same command again"
    return f"it ended without a reason{_last_line(log)}"


def _last_line(log: str) -> str:
    """The last line of a log, to be put after a sentence; empty when there is none."""
    try:
        lines = read_small(log).decode(errors="replace").split("\n")
    except OSError:
        return ""
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f"; last line of its log: {last}" if last else ""
