"""Shows a run of Snakemake to a person, from its log records.

Writes to the terminal; deletes the outcome of a job that starts. The Snakefile calls `register` and
`finish`; the logger plugin calls `RunDisplay`. Must not import Snakemake.
"""

import logging
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import IO, Any

from trailers12k.jobs.context import QUIET
from trailers12k.jobs.outcome import outcome_file
from trailers12k.workflow.run_display import dry_run
from trailers12k.workflow.run_display.plan import Movies, PlannedJob, planned_jobs
from trailers12k.workflow.run_display.progress import RunProgress
from trailers12k.workflow.run_display.views import View, view_on

LOGGER = "snakemake.logging"
"""The logger of all of Snakemake's records."""

INTERVAL = 1.0
"""Seconds between two looks at what jobs have written; more where a look takes long."""
SHARE = 20
"""A look takes at most one part in this many of the time."""
HELD = 3.0
"""Seconds for which an error is held back, since a failed job may explain it."""
UNSURE = 0.5
"""Seconds for which a failure is held back, since Ctrl-C may have ended the job."""
PATIENCE = 10.0
"""Seconds after Ctrl-C in which another one is ignored, since Snakemake is ending the run."""


@dataclass(frozen=True)
class Words:
    """Messages of Snakemake that its records do not tell apart otherwise.

    shown: informations that a person needs during a run. last: the error after all failed jobs.
    """

    shown: Collection[str]
    last: str


@dataclass(frozen=True)
class Registered:
    """What the Snakefile knows.

    dag: Snakemake's graph of jobs. movies: of the run. logs: Snakemake's log files.
    """

    dag: Callable[[], Any]
    movies: Callable[[], Movies]
    logs: Callable[[], Sequence[str]]


_registered: Registered | None = None
_display: "RunDisplay | None" = None


def register(workflow: Any, movies: Callable[[], Movies]) -> None:
    """Tell the display what is planned. workflow: Snakemake's object. movies: of the run."""
    global _registered
    _registered = Registered(
        lambda: workflow.dag, movies, lambda: workflow.logger_manager.get_logfile()
    )


def finish() -> None:
    """Wait until all that was logged is shown, and leave the bars as they are.

    For the Snakefile, before it prints anything. Does nothing without a display.
    """
    if _display is not None:
        shown = threading.Event()
        logging.getLogger(LOGGER).info("", extra={"event": _Finish(shown)})
        shown.wait(10)


def say(text: str, stream: IO[str]) -> None:
    """Print the last words of a run. A closed pipe (`| head`) does not make it fail."""
    try:
        print(text, file=stream, flush=True)
    except OSError:
        for each in (stream, sys.stdout, sys.stderr):  # for what Python prints at its end
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, each.fileno())
            os.close(nothing)


def forget_interrupt() -> None:
    """Let the next Ctrl-C count, since the last one was lost."""
    if _display is not None:
        _display.forget_interrupt()


def is_stopped() -> bool:
    """Whether Ctrl-C has ended this run."""
    return _display is not None and _display.is_stopped


@dataclass(frozen=True)
class _Finish:
    """The event after which nothing is shown but messages. shown: set when this is done."""

    shown: threading.Event


class RunDisplay:
    """Receives Snakemake's records and shows what a person needs of them.

    stream: where it writes. quiet: what `--quiet` names, in lower case. is_dry: whether nothing
    runs. Records arrive twice: `observe` in the thread that logs, where the graph of jobs can be
    read, and `emit` in another thread, which may take its time.
    """

    def __init__(
        self,
        stream: IO[str],
        words: Words,
        quiet: Collection[str] = (),
        is_dry: bool = False,
        is_colored: bool = True,
    ):
        global _display
        _display = self
        self._words, self._is_dry = words, is_dry
        self._only_errors = "all" in quiet and not is_dry
        self._has_bars = not (is_dry or {"all", "progress", "rules"} & set(quiet))
        self._view: View = view_on(stream, is_colored)
        self._progress = RunProgress()
        self._lock = threading.RLock()
        self._before: list[str] = []
        self._held: list[tuple[float, str]] = []
        self._failures: list[tuple[float, str, str, str]] = []
        self._numbers: set[str] = set()
        self._said: set[str] = set()
        self._is_begun = self._is_last = self._is_finished = self._is_broken = False
        self._stopped: float | None = None
        self._stop = threading.Event()
        self._looking: threading.Thread | None = None
        if not is_dry:
            os.environ[QUIET] = "1"  # jobs inherit it
        logging.getLogger(LOGGER).addFilter(self.observe)

    @property
    def is_stopped(self) -> bool:
        """Whether Ctrl-C has ended the run; then a job that ends has not failed."""
        return self._stopped is not None

    def interrupt(self, number: int, frame: FrameType | None) -> None:
        """The handler of Ctrl-C. A second one would interrupt what Snakemake does at the end."""
        now = time.monotonic()
        if self._stopped is None or now - self._stopped > PATIENCE:
            self._stopped = now
            raise KeyboardInterrupt

    def forget_interrupt(self) -> None:
        """Take the next Ctrl-C as the first one."""
        self._stopped = None

    # In the thread that logs.

    def observe(self, record: logging.LogRecord) -> bool:
        """Add to a record what its event changes in the plan. Always true: no record is lost."""
        try:
            event = str(getattr(record, "event", ""))
            if event in ("run_info", "job_info") and _registered:
                is_new = (
                    event == "run_info" or str(getattr(record, "jobid", "")) not in self._numbers
                )
                if is_new:
                    record.planned = self._plan(_registered)
                if event == "job_info" and not self._is_dry:
                    for log in getattr(record, "log", ()):
                        outcome_file(str(log)).unlink(missing_ok=True)
        except Exception:
            _report(record)
        return True

    def _plan(self, registered: Registered) -> tuple[list[PlannedJob], dict[str, str]]:
        movies = registered.movies()
        jobs = planned_jobs(registered.dag(), movies, explains=self._is_dry)
        self._numbers |= {job.number for job in jobs}
        return jobs, {each.mid: each.title for listed in movies.shards.values() for each in listed}

    # In the thread of the plugin.

    def emit(self, record: logging.LogRecord) -> None:
        """Show what a record means."""
        with self._lock:
            event = getattr(record, "event", None)
            if self._is_broken:
                if isinstance(event, _Finish):
                    event.shown.set()
                return
            try:
                self._receive(record)
            except (OSError, ValueError):
                # The terminal is gone, or the pipe is closed. The run goes on.
                self._is_broken = True

    def close(self) -> None:
        """End the display; prints what was held back."""
        self._stop.set()
        if self._looking:
            self._looking.join(5)
        with self._lock:
            if self._is_broken:
                return
            try:
                for text in self._before:
                    self._message(text)
                self._before.clear()  # Python closes handlers once more
                self._release_failures(0)
                self._release(0)
                self._view.close()
            except (OSError, ValueError):
                self._is_broken = True

    def _receive(self, record: logging.LogRecord) -> None:
        event = getattr(record, "event", None)
        if isinstance(event, _Finish):
            self._end(event)
            return
        handle = {
            "workflow_started": self._begin,
            "run_info": self._planned,
            "job_info": self._started,
            "job_finished": self._finished,
            "job_error": self._failed,
            "error": self._error,
        }.get(str(event or ""))
        if handle:
            handle(record)
        elif event is None or record.levelno >= logging.WARNING:
            self._say(record)

    def _begin(self, record: logging.LogRecord) -> None:
        # What was said before is of no use to a run. Without one it is the command's answer.
        self._before.clear()
        self._is_begun = True

    def _planned(self, record: logging.LogRecord) -> None:
        jobs, titles = getattr(record, "planned", ([], {}))
        if self._is_dry:
            if jobs and not self._is_finished:
                self._message(dry_run.summarize(jobs))
            self._is_finished = True
            return
        self._progress.plan(jobs, titles)
        logs = [os.path.relpath(log) for log in (_registered.logs() if _registered else ())]
        said = "1 job" if len(jobs) == 1 else f"{len(jobs)} jobs"
        if self._has_bars:
            self._message(f"{said} to run; Snakemake's log: {', '.join(logs)}")
        if self._looking is None:
            self._looking = threading.Thread(target=self._look_repeatedly, daemon=True)
            self._looking.start()

    def _started(self, record: logging.LogRecord) -> None:
        if self._is_dry:
            return
        self._release_failures(0)  # it may be tried again
        if planned := getattr(record, "planned", None):
            self._progress.plan(*planned)
        self._progress.start(str(record.__dict__["jobid"]))

    def _finished(self, record: logging.LogRecord) -> None:
        self._messages(self._progress.finish(str(record.__dict__["job_id"])))
        self._show()

    def _failed(self, record: logging.LogRecord) -> None:
        values = record.__dict__
        # The same failure in Snakemake's words, which alone name the signal that ended a job.
        error = self._held.pop()[1] if self._held else ""
        logs = [str(log) for log in values.get("log", ())]
        text = str(values.get("rule_msg") or "") or _signal(error)
        failure = time.monotonic(), str(values["jobid"]), text, logs[0] if logs else ""
        self._failures.append(failure)

    def _release_failures(self, age: float) -> None:
        """Show the failures that were held back for so many seconds."""
        now = time.monotonic()
        for failure in list(self._failures):
            since, number, text, log = failure
            if now - since < age:
                continue
            self._failures.remove(failure)
            if self.is_stopped:
                self._progress.interrupt(number)
            else:
                self._messages(self._progress.fail(number, text, log))
        self._show()

    def _error(self, record: logging.LogRecord) -> None:
        if record.__dict__.get("exception") == "WorkflowError":
            self._release_failures(0)  # all jobs have ended
        if self.is_stopped:
            return  # "a job failed": the Snakefile says that the run was stopped
        is_explained = self._is_finished or (self._is_last and self._progress.failed_jobs)
        if is_explained and record.__dict__.get("exception") == "WorkflowError":
            return  # "at least one job failed", which the Snakefile has said better
        if self._looking is None:
            self._message(record.getMessage())
        else:
            self._held.append((time.monotonic(), record.getMessage()))

    def _say(self, record: logging.LogRecord) -> None:
        """Show a record without an event."""
        text = str(record.msg or "")
        if record.levelno >= logging.ERROR:
            if text == self._words.last:
                self._is_last = True
            else:
                self._message(text)
        elif record.levelno >= logging.WARNING:
            self._once(text)
        elif record.levelno >= logging.INFO:
            if not self._is_begun:
                self._before.append(text)
            elif text in self._words.shown:
                self._once(text)

    def _once(self, text: str) -> None:
        """Show a message that Snakemake may repeat for every job."""
        if text not in self._said:
            self._said.add(text)
            self._message(text, is_note=True)

    def _end(self, event: _Finish) -> None:
        try:
            self._release_failures(0)
            self._release(0)
            self._show()
            self._stop.set()
            self._view.close()
        finally:
            self._is_finished = True
            event.shown.set()

    def _look_repeatedly(self) -> None:
        pause = INTERVAL
        while not self._stop.wait(pause):
            began = time.monotonic()
            with self._lock:
                if self._is_broken:
                    return
                try:
                    self._messages(self._progress.look())
                    self._release_failures(UNSURE)
                    self._release(HELD)
                    self._show()
                except (OSError, ValueError):
                    self._is_broken = True
            pause = max(INTERVAL, SHARE * (time.monotonic() - began))

    def _release(self, age: float) -> None:
        """Show the errors that were held back for so many seconds."""
        now = time.monotonic()
        for since, text in list(self._held):
            if now - since >= age:
                self._held.remove((since, text))
                self._message(text)

    def _show(self) -> None:
        if self._has_bars and not self._is_finished:
            self._view.show(self._progress.stages())

    def _messages(self, texts: Sequence[str]) -> None:
        for text in texts:
            self._message(text)

    def _message(self, text: str, is_note: bool = False) -> None:
        """Show a message. is_note: whether `--quiet all` hides it."""
        if text and not (is_note and self._only_errors):
            self._view.message(text)


def _report(record: logging.LogRecord) -> None:
    """Report a fault of the display, which must not end a run."""
    logging.StreamHandler(sys.stderr).handleError(record)


def _signal(error: str) -> str:
    """The signal that `subprocess.CalledProcessError` names, in words; empty without one."""
    found = re.search(r"died with <Signals\.(\w+): \d+>", error)
    if not found:
        return ""
    why = ", perhaps for lack of memory" if found[1] == "SIGKILL" else ""
    return f"it was killed by {found[1]}{why}"
