"""Snakemake's logger plugin `trailers12k`: adapts Snakemake's interface to our display.

Reads and writes nothing itself. Snakemake imports it at every start, and uses it when named by
`--logger`, as `trailers12k run` does; all logic is in trailers12k.workflow.run_display.
"""

import signal
import sys
import threading
from logging import LogRecord

from snakemake_interface_logger_plugins.base import LogHandlerBase

SHOWN = (
    "Will exit after finishing currently running jobs (scheduler).",
    "Terminating processes on user request, this might take some time.",
)
"""Messages of Snakemake's scheduler, word for word."""


class LogHandler(LogHandlerBase):
    """Shows a run by `RunDisplay` instead of Snakemake's own output."""

    def __post_init__(self) -> None:
        from snakemake.common import NOTHING_TO_BE_DONE_MSG
        from snakemake.scheduling.job_scheduler import _ERROR_MSG_FINAL

        from trailers12k.workflow.run_display.display import RunDisplay, Words
        from trailers12k.workflow.run_display.job_output import JobOutput

        settings = self.common_settings
        self._jobs: JobOutput | None = None
        if not settings.dryrun and threading.current_thread() is threading.main_thread():
            self._jobs = JobOutput(lambda: self._display.is_stopped)  # before sys.stderr is used
        self._display = RunDisplay(
            sys.stdout if settings.stdout else sys.stderr,
            Words((NOTHING_TO_BE_DONE_MSG, *SHOWN), _ERROR_MSG_FINAL),
            quiet={each.name.lower() for each in settings.quiet or ()},
            is_dry=settings.dryrun,
            is_colored=not settings.nocolor,
        )
        if self._jobs:
            signal.signal(signal.SIGINT, self._display.interrupt)

    def emit(self, record: LogRecord) -> None:
        """Called in a thread of the plugins."""
        self._display.emit(record)

    def close(self) -> None:
        """Called at the end of Snakemake."""
        self._display.close()
        if self._jobs:
            self._jobs.close()
            self._jobs = None
        super().close()

    @property
    def writes_to_stream(self) -> bool:
        """Replaces Snakemake's own output."""
        return True

    @property
    def writes_to_file(self) -> bool:
        """Snakemake's own log file stays."""
        return False

    @property
    def has_filter(self) -> bool:
        """All records arrive."""
        return True

    @property
    def has_formatter(self) -> bool:
        """The display words what it shows."""
        return True

    @property
    def needs_rulegraph(self) -> bool:
        """The display reads the jobs itself."""
        return False
