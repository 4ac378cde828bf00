"""Hostile inputs: how each is made, what handles it, which answer is right, within which bounds."""

import os
import pickle
import re
import resource
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trailers12k.common.errors import Failure, UserError

SPARE_MB = 3000
"""Megabytes of addresses that a child may take beyond those of its parent."""


@dataclass(frozen=True)
class HostileInput:
    """One row of the table in docs/reliability.md, and of the test that makes it true.

    kind: of file or answer, such as "gzip file". name: what is hostile about this one.
    make: writes the input into an empty folder and returns what `use` takes.
    use: hands it to the code under test. Both are called in the folder.
    answer: a regular expression that the whole message of the `UserError` or `Failure` begins
        with, or "" where the input must be accepted.
    bound: the limit in words, with the key of the configuration that moves it, if one does.
    most_mb, most_seconds: limits of the peak of memory that `use` adds, and of its time.
    """

    kind: str
    name: str
    make: Callable[[Path], Any]
    use: Callable[[Any], object]
    answer: str
    bound: str
    most_mb: float = 100
    most_seconds: float = 10


@dataclass(frozen=True)
class Outcome:
    """What became of an input. said: the message of an error, one line; empty when accepted.

    fault: the traceback or the signal that ended the process; empty for a clean answer.
    """

    said: str
    fault: str
    mb: float
    seconds: float


def try_input(hostile: HostileInput, folder: Path) -> Outcome:
    """Handle an input in a child process, whose memory and time are measured and limited."""
    os.chdir(folder)
    made = hostile.make(folder)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _limit(hostile.most_seconds)
        outcome = _measured(hostile.use, made)
        with os.fdopen(writer, "wb") as file:
            pickle.dump(outcome, file)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        answer = file.read()
    status = os.waitpid(child, 0)[1]
    if not answer:
        name = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else "exit"
        return Outcome("", f"ended by {name}", 0, hostile.most_seconds)
    outcome: Outcome = pickle.loads(answer)
    return outcome


def fault_of(hostile: HostileInput, outcome: Outcome) -> str:
    """What is wrong with the outcome of an input; empty when it is as it should be."""
    if outcome.fault:
        return outcome.fault
    if outcome.mb > hostile.most_mb or outcome.seconds > hostile.most_seconds:
        return f"{outcome.mb:.0f} MB, {outcome.seconds:.1f} s"
    if "\n" in outcome.said or not re.match(hostile.answer, outcome.said):
        return f"said {outcome.said!r}"
    return "" if hostile.answer or not outcome.said else f"refused: {outcome.said}"


def _limit(most_seconds: float) -> None:
    """Limits that end a child that the code under test does not bound."""
    used = _megabytes("VmSize")
    most = int((used + SPARE_MB) * 1e6)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    signal.alarm(int(2 * most_seconds) + 5)


def _measured(use: Callable[[Any], object], made: Any) -> Outcome:
    # The peak starts again from what is in memory now.
    Path("/proc/self/clear_refs").write_text("5")
    before, began = _megabytes("VmRSS"), time.monotonic()
    said = fault = ""
    try:
        use(made)
    except (UserError, Failure) as error:
        said = str(error)
    except BaseException:
        fault = traceback.format_exc()
    return Outcome(said, fault, _megabytes("VmHWM") - before, time.monotonic() - began)


def _megabytes(name: str) -> float:
    """A figure of /proc/self/status."""
    text = Path("/proc/self/status").read_text()
    found = re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)
    assert found
    return int(found[1]) * 1024 / 1e6
