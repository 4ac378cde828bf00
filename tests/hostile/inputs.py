"""Hostile inputs: how each is made, what handles it, which answer is right, within which bounds."""

import faulthandler
import os
import pickle
import re
import resource
import signal
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
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
    patience = int(10 * most_seconds) + 30  # of the clock, on a busy machine
    faulthandler.dump_traceback_later(patience - 5)  # says where it waits
    signal.alarm(patience)


def _measured(use: Callable[[Any], object], made: Any) -> Outcome:
    # The peak starts again from what is in memory now.
    Path("/proc/self/clear_refs").write_text("5")
    before, began = _megabytes("VmRSS"), _time()
    said = fault = ""
    with _Processes() as processes:
        try:
            use(made)
        except (UserError, Failure) as error:
            said = str(error)
        except BaseException:
            fault = traceback.format_exc()
        own, seconds = _megabytes("VmHWM") - before, _time() - began
    return Outcome(said, fault, max(own, processes.peak), seconds)


def _time() -> float:
    """Seconds, without those in which this thread waited for a core that others used."""
    queued = int(Path("/proc/self/schedstat").read_text().split()[1])
    return time.monotonic() - queued / 1e9


class _Processes:
    """Follows the processes that the code under test starts. peak: of the memory of one, in MB.

    What the system says at their end counts the memory of the process that started them.
    """

    def __init__(self) -> None:
        self.peak = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow)

    def __enter__(self) -> "_Processes":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _follow(self) -> None:
        own = Path("/proc/self/cmdline").read_bytes()
        while not self._ended.wait(0.005):
            for children in Path("/proc/self/task").glob("*/children"):
                for pid in children.read_text().split():
                    with suppress(OSError, AssertionError):
                        if Path(f"/proc/{pid}/cmdline").read_bytes() != own:
                            self.peak = max(self.peak, _megabytes("VmHWM", pid))


def _megabytes(name: str, pid: str = "self") -> float:
    """A figure of /proc/PID/status."""
    text = Path(f"/proc/{pid}/status").read_text()
    found = re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)
    assert found
    return int(found[1]) * 1024 / 1e6
