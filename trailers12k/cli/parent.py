"""Runs Snakemake in a process group of its own, passes signals on to it, and leaves nothing of it.

Starts and ends processes; reads /proc. Must not know what Snakemake runs.
"""

import ctypes
import os
import select
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

PATIENCE = 30.0
"""Seconds from Ctrl-C to the end of all that is left."""
AFTERMATH = 5.0
"""Seconds that are left to the processes of a command that has ended by itself: jobs look for it
once a second."""

STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that become Ctrl-C."""
PASSED = (signal.SIGCONT, signal.SIGWINCH)
HANDLED = (*STOP, *PASSED, signal.SIGTSTP, signal.SIGQUIT, signal.SIGCHLD)
ANYWAY = (signal.SIGINT, signal.SIGCHLD)
"""Signals that are handled even where the caller ignores them: a shell's script has its commands in
the background ignore Ctrl-C, and yet can send it with `kill`."""
OF_TERMINAL = (signal.SIGTTIN, signal.SIGTTOU)
"""What stops a group in the background that reads from the terminal or sets it."""

SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER of Linux: processes whose parents have ended become children of ours."""


def run(command: Sequence[str]) -> int:
    """Run a command to its end, with all that it starts; its exit code, 128 + n after signal n.

    SIGINT, SIGTERM and SIGHUP become Ctrl-C for the group of the command, once; after `PATIENCE`
    seconds, and at once with SIGQUIT, whatever is left is killed. SIGTSTP (Ctrl-Z) and SIGCONT stop
    and continue the group. A signal that the caller ignores (nohup) stays ignored.
    """
    wakeup, signalled = os.pipe()
    for end in (wakeup, signalled):
        os.set_blocking(end, False)
    before = {number: signal.getsignal(number) for number in HANDLED}
    handled = [n for n in HANDLED if n in ANYWAY or before[n] is not signal.SIG_IGN]
    for number in handled:
        signal.signal(number, _note)
    earlier = signal.set_wakeup_fd(signalled, warn_on_full_buffer=False)
    try:
        return _Child(command, wakeup).wait()
    finally:
        signal.set_wakeup_fd(earlier)
        for number in handled:
            signal.signal(number, before[number])
        os.close(wakeup)
        os.close(signalled)


def _note(number: int, frame: FrameType | None) -> None:
    """Python writes the number of the signal to the pipe."""


class _Child:
    """A running command. wakeup: the end of a pipe from which numbers of signals are read."""

    def __init__(self, command: Sequence[str], wakeup: int):
        self._wakeup = wakeup
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(SUBREAPER, 1)
        # Ctrl-C waits until the command can handle it.
        self._pid = os.posix_spawn(
            command[0], [*command], os.environ, setpgroup=0, setsigmask=[signal.SIGINT]
        )
        self._status: int | None = None
        self._stopped_by = 0
        self._deadline: float | None = None
        self._terminal: int | None = None

    def wait(self) -> int:
        """Pass signals on until the command and all that it started have ended."""
        self._reap()  # it may have ended before its signal was handled
        while self._status is None:
            self._handle_signals()
            if self._deadline and time.monotonic() > self._deadline:
                self._kill(f"{PATIENCE:.0f} s after Ctrl-C")
                self._deadline = None
        self._take_terminal_back()
        until = self._deadline or time.monotonic() + AFTERMATH
        while self._rest():
            if time.monotonic() > until:
                self._kill("after Snakemake")
                until += AFTERMATH
            self._handle_signals(0.1)
        code = os.waitstatus_to_exitcode(self._status)
        if code < 0:
            if not self._stopped_by:
                why = ", perhaps for lack of memory" if -code == signal.SIGKILL else ""
                name = signal.Signals(-code).name
                _say(f"error: Snakemake was ended by {name}{why}; the same command continues")
            return 128 - code
        return 128 + self._stopped_by if self._stopped_by and code else code

    def _handle_signals(self, seconds: float | None = None) -> None:
        """Wait for signals, and handle them."""
        if seconds is None and self._deadline:
            seconds = max(0.0, self._deadline - time.monotonic()) + 0.01
        if select.select([self._wakeup], [], [], seconds)[0]:
            for number in os.read(self._wakeup, 4096):
                self._handle(number)

    def _handle(self, number: int) -> None:
        if number == signal.SIGCHLD:
            self._reap()
        elif number in STOP and not self._stopped_by:
            self._stopped_by = number
            self._deadline = time.monotonic() + PATIENCE
            self._send(signal.SIGINT)
            self._send(signal.SIGCONT)  # a stopped process could not end
        elif number == signal.SIGQUIT:
            self._stopped_by = self._stopped_by or number
            self._kill("after SIGQUIT")
        elif number == signal.SIGTSTP:
            self._send(signal.SIGTSTP)
            self._stop_too(signal.SIGTSTP)
        elif number in PASSED:
            self._send(number)

    def _reap(self) -> None:
        """Note how the command ended or why it stopped; forget orphans that have ended."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid != self._pid:
                continue
            if not os.WIFSTOPPED(status):
                self._status = status
            elif os.WSTOPSIG(status) in OF_TERMINAL:
                self._give_terminal(os.WSTOPSIG(status))
            elif os.WSTOPSIG(status) == signal.SIGTSTP and self._terminal is not None:
                self._take_terminal_back()
                self._stop_too(signal.SIGTSTP)

    def _send(self, number: int) -> None:
        """Send a signal to the group of the command."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._pid, number)

    def _stop_too(self, number: int) -> None:
        """Stop as the group has stopped, so that the shell sees it; then continue both."""
        handler = signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        signal.signal(number, handler)
        self._send(signal.SIGCONT)

    def _give_terminal(self, number: int) -> None:
        """Let the group read from the terminal, or wait with it until a shell gives it to us."""
        try:
            terminal = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC)
        except OSError:  # it is gone
            return
        if os.tcgetpgrp(terminal) != os.getpgrp():
            os.close(terminal)
            self._stop_too(number)
            return
        os.tcsetpgrp(terminal, self._pid)
        self._terminal = terminal
        self._send(signal.SIGCONT)

    def _take_terminal_back(self) -> None:
        if self._terminal is None:
            return
        # In the background this would stop us.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
        with suppress(OSError):
            os.tcsetpgrp(self._terminal, os.getpgrp())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTTOU})
        os.close(self._terminal)
        self._terminal = None

    def _rest(self) -> list[int]:
        """The processes of the group, and those that they started in groups of their own."""
        if not Path("/proc/self/stat").exists():
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._pid, 0)
                return [self._pid]
            return []
        own, processes = os.getpid(), _processes()
        found, count = {own}, 0
        while len(found) > count:  # until no process is a child of one that was found
            count = len(found)
            found |= {pid for pid, (parent, _) in processes.items() if parent in found}
        found |= {pid for pid, (_, group) in processes.items() if group == self._pid}
        return sorted(found - {own})

    def _kill(self, why: str) -> None:
        """End all that is left. why: for the message."""
        for pid in self._rest():
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        _say(f"ended what was left {why}")


def _say(text: str) -> None:
    """Print a line, unless the terminal is gone."""
    with suppress(OSError, ValueError, AttributeError):
        print(text, file=sys.stderr, flush=True)


def _processes() -> dict[int, tuple[int, int]]:
    """Process id -> its parent and its group, of all processes that have not ended."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            fields = Path("/proc", name, "stat").read_bytes().rpartition(b")")[2].split()
            if fields[0] not in (b"Z", b"X"):
                found[int(name)] = int(fields[1]), int(fields[2])
    return found
