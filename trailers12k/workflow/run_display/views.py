"""Two ways to show progress: bars on a terminal, lines anywhere else.

Writes to a stream. Must not know Snakemake, nor where progress comes from.
"""

import time
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING, Protocol

from trailers12k.jobs.status import duration
from trailers12k.workflow.run_display.progress import StageProgress

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

FIRST_PAUSE = 30.0
LONGEST_PAUSE = 600.0
GROWTH = 1.5
"""Seconds between two reports in lines, at first and at most, and the factor from one to the
next: a log of a day has about two hundred."""

BAR = 24
"""Columns of a bar, at most."""


class View(Protocol):
    """Shows the stages of a run, and messages."""

    def show(self, stages: Sequence[StageProgress]) -> None:
        """Show the present state."""

    def message(self, text: str) -> None:
        """Show a message that stays."""

    def close(self) -> None:
        """Show nothing further; what was shown last stays."""


def view_on(stream: IO[str], is_colored: bool = True) -> View:
    """The view for a stream."""
    if stream.isatty():
        from rich.console import Console

        console = Console(file=stream, no_color=not is_colored or None, highlight=False)
        if not console.is_dumb_terminal:
            return Bars(console)
    return Lines(stream)


def in_words(stage: StageProgress) -> str:
    """The numbers of a stage: `17 of 19 movies, 2 failed`."""
    parts = [f"{stage.done} of {stage.total} {stage.unit}"]
    numbers = {
        "failed": stage.failed,
        "skipped": stage.skipped,
        "checked": stage.checked,
        "failed jobs": stage.failed_jobs,
    }
    return ", ".join([*parts, *(f"{number} {what}" for what, number in numbers.items() if number)])


class Lines:
    """A line per stage when it ends, and now and then one for each stage at work."""

    def __init__(self, stream: IO[str]):
        self._stream = stream
        self._ended: set[str] = set()
        self._last: dict[str, int] = {}
        self._pause = FIRST_PAUSE
        self._next = time.monotonic() + self._pause

    def show(self, stages: Sequence[StageProgress]) -> None:
        """Print the stages that have ended since and, after a pause, those at work."""
        for stage in stages:
            if stage.finished and stage.stage not in self._ended:
                self.message(f"{stage.stage}: {in_words(stage)}")
        self._ended = {stage.stage for stage in stages if stage.finished}
        if time.monotonic() < self._next:
            return
        for stage in stages:
            if stage.at_work and self._last.get(stage.stage) != stage.ended:
                left = "" if stage.left is None else f", {duration(stage.left)} left"
                self.message(f"{stage.stage}: {in_words(stage)} so far{left}")
                self._last[stage.stage] = stage.ended
        self._pause = min(LONGEST_PAUSE, self._pause * GROWTH)
        self._next = time.monotonic() + self._pause

    def message(self, text: str) -> None:
        """Print a line."""
        print(text, file=self._stream, flush=True)

    def close(self) -> None:
        """Nothing is left to print."""


class Bars:
    """A line with a bar for every stage, at the bottom of a terminal; messages scroll above."""

    def __init__(self, console: "Console"):
        from rich.live import Live

        self._console = console
        self._stages: Sequence[StageProgress] = ()
        self._live = Live(
            get_renderable=self._table,
            console=console,
            refresh_per_second=4,
            vertical_overflow="crop",
        )

    def show(self, stages: Sequence[StageProgress]) -> None:
        """Draw the bars, and redraw them until `close`."""
        self._stages = stages
        if not self._live.is_started:
            self._live.start()
            # Otherwise a run that is killed leaves the terminal without a cursor.
            self._console.show_cursor(True)

    def message(self, text: str) -> None:
        """Print a line above the bars."""
        self._console.print(text, markup=False, soft_wrap=True)

    def close(self) -> None:
        """Leave the bars as they are."""
        if self._live.is_started:
            self._live.stop()

    def _table(self) -> "RenderableType":
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 1))
        table.add_column(no_wrap=True, overflow="ellipsis")
        table.add_column(width=BAR if self._console.width >= 100 else BAR // 2)
        table.add_column(no_wrap=True, overflow="ellipsis")
        shown, hidden = self._fitting()
        for stage in shown:
            style = "" if stage.at_work or stage.finished else "dim"
            failed = stage.failed or stage.failed_jobs
            bar = ProgressBar(
                total=max(1, stage.total),
                completed=stage.ended,
                finished_style="yellow" if failed else "green",
                complete_style="cyan",
            )
            left = "" if stage.left is None else f", {duration(stage.left)} left"
            table.add_row(Text(stage.stage, style), bar, Text(in_words(stage) + left, style))
        if hidden:
            table.add_row(Text(f"... {hidden} more stages", "dim"))
        return table

    def _fitting(self) -> tuple[list[StageProgress], int]:
        """The stages for which the terminal has lines, and the number of others.

        Stages at work come first, then those that wait, then those that ended.
        """
        room = self._console.height - 2
        if len(self._stages) <= room or not self._live.is_started:
            return list(self._stages), 0
        by_use = sorted(self._stages, key=lambda stage: (not stage.at_work, stage.finished))
        kept = {stage.stage for stage in by_use[: max(1, room - 1)]}
        shown = [stage for stage in self._stages if stage.stage in kept]
        return shown, len(self._stages) - len(shown)
