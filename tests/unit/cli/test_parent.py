"""The parent of a command: real signals, real processes, and a real terminal."""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

COMMAND = """
import signal, subprocess, sys, time
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
"""
FINE = (
    COMMAND
    + """
try:
    print("begun", flush=True)
    # A signal right before a long sleep would be handled after it.
    for _ in range(600):
        time.sleep(0.1)
except KeyboardInterrupt:
    try:
        print("interrupted", flush=True)
        time.sleep(0.5)
    except KeyboardInterrupt:
        print("interrupted twice", flush=True)
sys.exit(3)
"""
)
STUBBORN = (
    COMMAND
    + """
signal.signal(signal.SIGINT, signal.SIG_IGN)
other = "import os, time; os.setsid(); print(os.getpid(), flush=True); time.sleep(60)"
for leaves in (False, True):
    line = [sys.executable, "-c", other]
    # The second one's parent has ended before it is looked for.
    if leaves:
        line = ["sh", "-c", '"$@" &', "sh", *line]
    subprocess.Popen(line)
print("begun", flush=True)
time.sleep({seconds})
"""
)


@pytest.fixture
def start(tmp_path) -> Callable[..., subprocess.Popen[str]]:
    """Starts a program as the child of `parent.run`, in a process of its own."""

    def begin(program: str, patience: float = 30, before: str = "") -> subprocess.Popen[str]:
        path = tmp_path / "program.py"
        path.write_text(program)
        code = (
            "import signal, sys; from trailers12k.cli import parent\n"
            # Tests under nohup would ignore it, too.
            f"signal.signal(signal.SIGHUP, signal.SIG_DFL); {before}\n"
            f"parent.PATIENCE, parent.AFTERMATH = {patience}, 1\n"
            f"sys.exit(parent.run([sys.executable, {str(path)!r}]))"
        )
        return subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    return begin


def read_until(running: subprocess.Popen[str], word: str) -> list[str]:
    lines = []
    while not lines or lines[-1] != word:
        line = running.stdout.readline()
        assert line, running.stderr.read()
        lines.append(line.strip())
    return lines


def is_there(pid: int) -> bool:
    """Whether a process runs."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(("body", "code"), [("sys.exit(5)", 5), ("os.kill(os.getpid(), 9)", 137)])
def test_the_exit_code_is_the_commands(start, body, code):
    running = start(f"import os, sys\n{body}")
    assert running.wait() == code
    said = "error: Snakemake was ended by SIGKILL, perhaps for lack of memory" if code > 128 else ""
    assert running.communicate()[1].startswith(said)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_becomes_ctrl_c_once(start, name):
    number = signal.Signals[name]
    running = start(FINE)
    read_until(running, "begun")
    for _ in range(2):
        running.send_signal(number)
        time.sleep(0.1)
    out, err = running.communicate(timeout=20)
    assert (running.returncode, out, err) == (128 + number, "interrupted\n", "")


def test_ctrl_c_that_comes_before_the_command_can_handle_it_waits(start):
    running = start(
        "import signal, time\nprint('begun', flush=True)\ntime.sleep(1)\n"
        "try: signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])\n"
        "except KeyboardInterrupt: print('handled')\n"
    )
    read_until(running, "begun")
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=20)
    assert (running.returncode, out, err) == (0, "handled\n", "")


def test_what_ignores_ctrl_c_is_killed_in_sessions_of_its_own_too(start):
    running = start(STUBBORN.format(seconds=60), patience=1)
    lines = read_until(running, "begun")
    while len(lines) < 3:
        lines.append(running.stdout.readline().strip())
    others = [int(line) for line in lines if line != "begun"]
    assert len(others) == 2 and all(map(is_there, others))
    began = time.monotonic()
    running.terminate()
    _, err = running.communicate(timeout=30)
    assert running.returncode == 137 and time.monotonic() - began < 15
    assert not any(map(is_there, others))
    assert err.startswith("ended what was left")


def test_nothing_outlives_a_command_that_ends_by_itself(start):
    running = start(STUBBORN.format(seconds=1))
    lines = read_until(running, "begun")
    while len(lines) < 3:
        lines.append(running.stdout.readline().strip())
    running.communicate(timeout=30)
    assert running.returncode == 0
    assert not any(is_there(int(line)) for line in lines if line != "begun")


def test_an_ignored_signal_stays_ignored(start):
    running = start(FINE, before="signal.signal(signal.SIGHUP, signal.SIG_IGN)")
    read_until(running, "begun")
    running.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    assert running.poll() is None
    running.terminate()
    out, _ = running.communicate(timeout=20)
    assert (running.returncode, out) == (143, "interrupted\n")


class Shell:
    """An interactive shell on a terminal of its own."""

    def __init__(self):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.environ |= {"PS1": "PROMPT> ", "TERM": "dumb"}
            os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
        self.seen = ""

    def type(self, text: str) -> None:
        os.write(self.terminal, text.encode())

    def expect(self, text: str) -> None:
        until = time.monotonic() + 30
        while text not in self.seen:
            ready = select.select([self.terminal], [], [], max(0, until - time.monotonic()))[0]
            assert ready, f"no {text!r} in {self.seen!r}"
            self.seen += os.read(self.terminal, 4096).decode()
        self.seen = self.seen.partition(text)[2]

    def wait_for_foreground(self) -> None:
        """Wait until keys reach a job: the shell prints its line first."""
        until = time.monotonic() + 30
        while os.tcgetpgrp(self.terminal) == self.pid:
            assert time.monotonic() < until
            time.sleep(0.05)

    def close(self) -> None:
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


@pytest.fixture
def shell():
    opened = Shell()
    opened.expect("PROMPT>")
    yield opened
    opened.close()


def line_of(folder: Path, program: str) -> str:
    (folder / "program.py").write_text(COMMAND + program)
    (folder / "run.py").write_text(
        "import sys; from trailers12k.cli import parent\n"
        "sys.exit(parent.run([sys.executable, *sys.argv[1:]]))"
    )
    return f"{sys.executable} {folder}/run.py {folder}/program.py"


def test_a_shell_stops_continues_and_ends_a_run(shell, tmp_path):
    ticks = "for n in range(600): print('ti' + 'ck', n, flush=True); time.sleep(0.1)\n"
    shell.type(line_of(tmp_path, ticks) + "\n")
    shell.expect("tick 3")
    for again in ("fg", "bg"):
        shell.type("\x1a")
        shell.expect("Stopped")
        shell.expect("PROMPT>")
        time.sleep(0.3)
        assert not select.select([shell.terminal], [], [], 0.3)[0]  # it has stopped, too
        shell.type(f"{again}\n")
        shell.expect("tick")
    shell.type("fg\n")
    shell.wait_for_foreground()
    shell.type("\x03")
    shell.expect("PROMPT>")
    shell.type("echo code=$?.\n")
    shell.expect("code=130.")


def test_a_run_reads_from_the_terminal_once_it_is_in_the_foreground(shell, tmp_path):
    shell.type(line_of(tmp_path, "print('got: ' + input('your na' + 'me? '))\n") + " &\n")
    shell.expect("name? ")
    shell.type("until jobs | grep Stop; do sleep 0.1; done\n")
    shell.expect("Stopped")
    shell.type("fg\n")
    shell.wait_for_foreground()
    shell.type("Ann\n")
    shell.expect("got: Ann")
    shell.expect("PROMPT>")
