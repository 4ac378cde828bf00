"""Signals, kill -9 and locks: real runs of the real rules, and what is left of them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from trailers12k.workflow import run_lock

from .conftest import TINY, Project

STOPPED = "error: the run was stopped before its end; the same command continues it"


@pytest.fixture
def project(tmp_path) -> Project:
    """The tiny sample before its first run."""
    made = Project(tmp_path / "project", TINY)
    made.command("backbones", "--help")  # writes config.yaml
    return made


def start(project: Project, *arguments: str) -> subprocess.Popen[str]:
    """Begin `trailers12k run`, as a shell does: the leader of a group."""
    return subprocess.Popen(
        [Path(sys.executable).with_name("trailers12k"), "run", *arguments],
        cwd=project.folder,
        env=os.environ | {"PYTHONPATH": str(project.folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
        # Tests that run in the background of a shell ignore Ctrl-C, and hand that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def holder(project: Project, running: subprocess.Popen[str], earlier: int = 0) -> int:
    """The process id of Snakemake, once it has the lock of the folder."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        found = run_lock._read_holder(project.folder)
        if found and found[0].pid != earlier:
            return found[0].pid
        assert running.poll() is None, running.communicate()[0]
        time.sleep(0.02)
    raise AssertionError("no lock")


def wait_for_job(project: Project) -> None:
    """Wait until a job has begun its log."""
    until = time.monotonic() + 60
    while not list((project.folder / "logs").rglob("*.log")):
        assert time.monotonic() < until
        time.sleep(0.02)


def group(leader: int) -> list[str]:
    """The processes of a group that have not ended."""
    listed = subprocess.run(["ps", "-eo", "pgid=,stat=,args="], capture_output=True, text=True)
    rows = [line.split(None, 2) for line in listed.stdout.splitlines()]
    return [row[2] for row in rows if row[0] == str(leader) and not row[1].startswith("Z")]


def is_locked(project: Project) -> bool:
    return any((project.folder / run_lock.LOCKS).glob("*"))


def test_sigterm_ends_a_run_and_its_jobs_cleanly(project):
    running = start(project, "clips", "--cores", "2")
    snakemake = holder(project, running)
    wait_for_job(project)
    assert os.getpgid(snakemake) == snakemake and len(group(snakemake)) > 1
    for argument in ("clips", "--unlock"):
        second = project.command("run", argument)
        who = f"error: another run (process {snakemake}, since "
        assert second.code and second.text.splitlines()[-1].startswith(who)
        assert "LockException" not in second.text and "run --unlock" not in second.text
        assert is_locked(project)
    running.terminate()
    text, _ = running.communicate(timeout=40)
    assert running.returncode == 128 + signal.SIGTERM
    assert text.splitlines()[-1] == STOPPED and "Traceback" not in text
    assert not group(snakemake) and not is_locked(project)
    assert not (project.folder / run_lock.HOLDER).exists()


def test_ctrl_c_before_the_first_job_is_one_line(project):
    for pause in (0, 0.5, 1.5):
        running = start(project, "clips", "--cores", "2")
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children")
        while not children.read_text():  # Snakemake is not started yet
            time.sleep(0.01)
        time.sleep(pause)
        running.send_signal(signal.SIGINT)
        text, _ = running.communicate(timeout=40)
        assert "Traceback" not in text and not is_locked(project)
        assert running.returncode in (130, -signal.SIGINT)


def test_ctrl_c_waits_until_the_settings_are_imported():
    """Within pydantic's own code it became an error of a schema, with a traceback.

    The handler is set, since a shell's background ignores Ctrl-C.
    """
    program = (
        "import os, signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})\n"
        "os.kill(os.getpid(), signal.SIGINT)\n"
        "from trailers12k.workflow import snakemake_process\n"
        "print('trailers12k.settings' in sys.modules)\n"
        "try:\n"
        "    snakemake_process.main(str(os.getppid()), '--version')\n"
        "finally:\n"
        "    print('trailers12k.settings' in sys.modules, 'snakemake.cli' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "False\nTrue False\n" and done.stderr == f"{STOPPED}\n"
    assert done.returncode == 128 + signal.SIGINT


@pytest.mark.parametrize("has_display", [False, True])
def test_ctrl_c_that_a_finalizer_swallows_comes_again(has_display):
    """As of those of imports; the run went on to its end."""
    program = (
        "import os, signal, sys, time\n"
        "from trailers12k.workflow import snakemake_process\n"
        "from trailers12k.workflow.run_display.display import RunDisplay, Words\n"
        "class Swallows:\n"
        "    def __del__(self):\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        time.sleep(0.01)\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "sys.unraisablehook = snakemake_process._come_again\n"
        f"if {has_display}:\n"
        "    display = RunDisplay(sys.stderr, Words((), 'x'))\n"
        "    signal.signal(signal.SIGINT, display.interrupt)\n"
        "swallows = Swallows()\n"
        "del swallows\n"
        "print('went on', flush=True)\n"
        "try:\n"
        "    time.sleep(20)\n"
        "except KeyboardInterrupt:\n"
        "    print('came again')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("went on\ncame again\n", "")


def test_the_next_run_continues_after_kill_9_of_all_or_of_the_parent(project):
    running = start(project, "clips", "--cores", "2")
    snakemake = holder(project, running)
    wait_for_job(project)
    os.killpg(snakemake, signal.SIGKILL)
    running.kill()
    running.communicate()
    assert is_locked(project)
    dry = project.command("run", "-n", "metadata")
    assert dry.code == 0 and is_locked(project)  # it only reads
    # Of two that start at once, one takes the lock; the other has nothing to do, or is refused.
    both = [start(project, "metadata", "--cores", "1") for _ in range(2)]
    said = [each.communicate(timeout=120)[0] for each in both]
    codes = sorted(each.returncode for each in both)
    assert codes in ([0, 0], [0, 1]), said
    assert codes == [0, 0] or any("at work in this folder" in text for text in said)
    assert (project.folder / "data" / "movies.csv").exists() and not is_locked(project)

    running = start(project, "clips", "--cores", "2")
    snakemake = holder(project, running)
    running.kill()
    until = time.monotonic() + 30
    while group(snakemake):
        assert time.monotonic() < until, group(snakemake)
        time.sleep(0.1)
    assert not is_locked(project)
    assert STOPPED in running.communicate()[0]


def test_a_lock_of_another_snakemake_is_never_removed(project):
    running = start(project, "clips", "--cores", "2")
    snakemake = holder(project, running)
    os.killpg(snakemake, signal.SIGKILL)
    running.communicate(timeout=40)
    lock = next((project.folder / run_lock.LOCKS).glob("*output*"))
    content = lock.read_text()
    lock.unlink()
    lock.write_text(content)  # as one that was taken since
    run = project.command("run", "clips", "--cores", "2")
    assert run.code == 1 and "LockException" not in run.text and lock.exists()
    assert run.text.splitlines()[-1].startswith("error: this folder is locked")
    assert project.command("run", "--unlock").code == 0 and not is_locked(project)
