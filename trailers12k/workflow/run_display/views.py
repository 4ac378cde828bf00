"""Two ways to show progress: bars on a terminal, lines anywhere else.

Writes to a stream. Must not know Snakemake, nor where progress comes from.
"""

import time
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING, Protocol

from trailers12k.jobs.status import duration
from trailers12k.workflow.run_display.progress import StageProgress
from trailers12k.workflow.run_display.stages import FEATURES

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

FIRST_PAUSE = 30.0
LONGEST_PAUSE = 600.0
GROWTH = 1.5
"""Seconds between two reports in lines, at first and at most, and the factor from one to the
next: a log of a day has about two hundred."""

WIDE = 110
"""Columns of a terminal in which everything has room."""
BAR = 24
"""Columns of a bar in such a terminal."""


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


def in_words(stage: StageProgress, left: str = "") -> str:
    """The numbers of a stage: `17 of 19 movies, 2 failed`. left: words on the time left."""
    unit = stage.unit.removesuffix("s") if stage.total == 1 else stage.unit
    parts = [f"{stage.done} of {stage.total} {unit}", *([left] if left else [])]
    numbers = {
        "failed": stage.failed,
        "skipped": stage.skipped,
        "checked": stage.checked,
        "failed job" if stage.failed_jobs == 1 else "failed jobs": stage.failed_jobs,
    }
    return ", ".join([*parts, *(f"{number} {what}" for what, number in numbers.items() if number)])


def _short(stage: str) -> str:
    """The name of a stage where there is little room: of a store's features, the store."""
    return stage.removeprefix(FEATURES.format(group=""))


def _time_left(stage: StageProgress) -> str:
    return "" if stage.left is None else f"{duration(stage.left)} left"


class Lines:
    """A line per stage when it ends, and now and then one for each stage at work."""

    def __init__(self, stream: IO[str]):
        self._stream = stream
        self._ended: dict[str, str] = {}
        self._since: dict[str, float] = {}
        self._last: dict[str, int] = {}
        self._open: list[str] = []
        self._pause = FIRST_PAUSE
        self._next = time.monotonic() + self._pause

    def show(self, stages: Sequence[StageProgress]) -> None:
        """Print the stages that have ended since and, after a pause, those at work."""
        now = time.monotonic()
        for stage in stages:
            if stage.finished:
                # A stage may end twice with the same numbers: jobs are planned during a run.
                if self._ended.get(stage.stage) != (text := f"{stage.stage}: {in_words(stage)}"):
                    self.message(text)
                self._ended[stage.stage] = text
            if stage.at_work:
                self._since.setdefault(stage.stage, now)
            else:
                self._since.pop(stage.stage, None)
        self._open = [
            f"{stage.stage}: {in_words(stage)} until now"
            for stage in stages
            if not stage.finished and (stage.ended or stage.at_work)
        ]
        if now < self._next:
            return
        for stage in stages:
            is_long = now - self._since.get(stage.stage, now) >= FIRST_PAUSE
            if is_long and self._last.get(stage.stage) != stage.ended:
                self.message(f"{stage.stage}: {in_words(stage, _time_left(stage))}")
                self._last[stage.stage] = stage.ended
        self._pause = min(LONGEST_PAUSE, self._pause * GROWTH)
        self._next = now + self._pause

    def message(self, text: str) -> None:
        """Print a line."""
        print(text, file=self._stream, flush=True)

    def close(self) -> None:
        """Print the stages that have begun and not ended."""
        for text in self._open:
            self.message(text)
        self._open = []


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
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        shown, hidden = self._fitting()
        width = self._console.width
        is_wide = width >= WIDE
        names = {each.stage: each.stage if is_wide else _short(each.stage) for each in shown}
        label, bar_width = max(map(len, names.values()), default=0), BAR if is_wide else BAR // 3
        table = Table.grid(padding=(0, 1))
        for columns in (label, bar_width, max(10, width - label - bar_width - 3)):
            table.add_column(width=columns, no_wrap=True, overflow="ellipsis")
        for stage in shown:
            style = "" if stage.at_work or stage.finished else "dim"
            failed = stage.failed or stage.failed_jobs
            bar = ProgressBar(
                total=max(1, stage.total),
                completed=stage.ended,
                finished_style="yellow" if failed else "green",
                complete_style="cyan",
            )
            words = in_words(stage, _time_left(stage))
            table.add_row(Text(names[stage.stage], style), bar, Text(words, style))
        return Group(table, Text(f"... {hidden} more stages", "dim")) if hidden else table

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
