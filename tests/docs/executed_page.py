"""Runs the commands of a page of docs/ as a reader would, and compares what they print.

Reads a page; writes below a folder of its own, and with `update` the page. Must not know what the
commands do.

In a page, a block ```sh holds commands, and a block ```text after it shows what they print; a line
`...` in it stands for any lines. A block with a title, such as ```csv title="movies.csv", is a file
that the reader writes.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

BLOCK = re.compile(r'^```(\w+)(?: title="([\w./-]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
ELLIPSIS = "..."
VARIES = (
    (r"\d+\.\d+ ?± ?\d+\.\d+", "SCORE"),
    (r"\b\d+(\.\d+)? ?(s|min|h|d|kB|MB|GB)\b", "AMOUNT"),
    (r"\d{4}-\d\d-\d\dT[\d.]+", "TIME"),
    (r"\d{4}-\d\d-\d\d", "DAY"),
    (r"\b\d\d:\d\d(:\d\d)?\b", "TIME"),
    # Descriptions that are cut where the table would be too wide.
    (r"\b(ImageNet|untrained)\b[^\n]*?\.\.\.", "WEIGHTS"),
    # Columns are as wide as what is in them.
    (r"-{3,}", "---"),
    (r"[ \t]+", " "),
)
"""Patterns of what another machine prints differently, and what takes their place."""
STAGE = re.compile(r"(.*): \d+ of \d+ (?:movie|job)s?\b.*")
"""A line on a stage. One comes every few seconds, so another machine prints more or fewer: the last
of each stage counts."""
UNORDERED = re.compile(rf"{STAGE.pattern}|(?:failed|warning): .*")
"""Lines of stages that run side by side: they come in any order."""


@dataclass(frozen=True)
class Place:
    """Where a page is run.

    folder: in which the reader starts. rewritten: texts of the page, such as addresses -> what they
    are on this machine. varies: more patterns like those of `VARIES`. environment: more variables.
    """

    folder: Path
    rewritten: Mapping[str, str]
    varies: Sequence[tuple[str, str]] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    def here(self, text: str) -> str:
        """A text of the page as it is on this machine."""
        for page, machine in self.rewritten.items():
            text = text.replace(page, machine)
        return text

    def on_page(self, text: str) -> str:
        """What was printed on this machine as the page shows it, with the last line per stage."""
        for page, machine in self.rewritten.items():
            text = text.replace(machine, page)
        lines = [line.rstrip() for line in text.strip("\n").splitlines()]
        stages = [match and match[1] for match in map(STAGE.fullmatch, lines)]
        last = {stage: place for place, stage in enumerate(stages) if stage}
        kept = (x for n, x in enumerate(lines) if not stages[n] or last[stages[n]] == n)
        return "".join(f"{line}\n" for line in kept)

    def comparable(self, text: str) -> list[str]:
        """The lines of a text without what varies; `UNORDERED` lines sorted and first."""
        for pattern, name in (*self.varies, *VARIES):
            text = re.sub(pattern, name, text)
        lines = [line.strip() for line in text.splitlines()]
        unordered = sorted(line for line in lines if UNORDERED.fullmatch(line))
        return [*unordered, *(line for line in lines if not UNORDERED.fullmatch(line))]


@dataclass(frozen=True)
class Difference:
    """Commands whose output is not what the page shows."""

    commands: str
    shown: str
    printed: str

    def __str__(self) -> str:
        return f"$ {self.commands}--- the page shows\n{self.shown}--- printed\n{self.printed}"


def run_page(page: Path, place: Place, update: bool = False) -> list[Difference]:
    """Run all commands of a page in order; returns the outputs that differ.

    update: write what was printed into the page. Raises AssertionError where commands fail.
    """
    text = page.read_text(encoding="utf-8")
    folder, commands, printed = place.folder, "", None
    differences, updated, end = [], "", 0
    for block in BLOCK.finditer(text):
        language, title, body = block.groups()
        if title:
            (folder / title).write_text(place.here(body), encoding="utf-8")
        elif language == "sh":
            commands = body
            printed, folder = _run(place.here(body), folder, place.environment)
        elif language == "text" and printed is not None:
            real = place.on_page(printed)
            if not _matches(place.comparable(body), place.comparable(real)):
                differences.append(Difference(commands, body, real))
            updated += text[end : block.start(3)] + _shortened(real, body)
            end, printed = block.end(3), None
    if update:
        page.write_text(updated + text[end:], encoding="utf-8")
    return differences


def _run(commands: str, folder: Path, environment: Mapping[str, str]) -> tuple[str, Path]:
    """What commands print to both streams, and the folder in which they end."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    with tempfile.NamedTemporaryFile("r") as last:
        done = subprocess.run(
            ["bash", "-e", "-c", f"trap 'pwd > {last.name}' EXIT\n{commands}"],
            cwd=folder,
            env=os.environ | {"PATH": path, "COLUMNS": "100"} | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, f"$ {commands}{done.stdout[-5000:]}"
        return done.stdout, Path(last.read().strip())


def _matches(shown: Sequence[str], printed: Sequence[str]) -> bool:
    """Whether these are the lines, where `...` is any number of lines."""
    parts = [r"(?:.*\n)*" if line == ELLIPSIS else re.escape(f"{line}\n") for line in shown]
    return bool(re.fullmatch("".join(parts), "".join(f"{line}\n" for line in printed)))


def _shortened(printed: str, shown: str) -> str:
    """The lines printed, of which `...` leaves out those that it leaves out of the lines shown.

    All `UNORDERED` lines are shown: which of them are the first is chance.
    """
    lines, before = printed.splitlines(), shown.splitlines()
    if ELLIPSIS not in before:
        return printed
    tail = len(before) - before.index(ELLIPSIS) - 1
    unordered = [n for n, line in enumerate(lines, start=1) if UNORDERED.fullmatch(line)]
    head = max(before.index(ELLIPSIS), *unordered, 0)
    kept = [*lines[:head], ELLIPSIS, *(lines[-tail:] if tail else [])]
    return "".join(f"{line}\n" for line in kept)
