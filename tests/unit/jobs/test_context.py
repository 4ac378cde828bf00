"""The context of a job."""

import os
import subprocess
import sys
import time

from trailers12k.jobs.context import job
from trailers12k.jobs.outcome import RUN, read_outcome
from trailers12k.workflow.permanent_failures import is_permanent


def test_modification_times_in_the_future_are_set_to_now_and_others_stay(tmp_path):
    ahead, behind = tmp_path / "ahead.csv", tmp_path / "behind.csv"
    for path, hours in ((ahead, 5), (behind, -5)):
        path.write_text("mid\n")
        os.utime(path, (time.time() + 3600 * hours,) * 2)
    before = behind.stat().st_mtime_ns
    with job(tmp_path / "log", [ahead, behind]):
        made = tmp_path / "made.csv"
        made.touch()
    assert before == behind.stat().st_mtime_ns < ahead.stat().st_mtime_ns
    assert ahead.stat().st_mtime_ns <= made.stat().st_mtime_ns


def run(tmp_path, body):
    """A process with a job of this body; its exit status, and the lines of the job's log."""
    code = (
        "import os, signal, sys, time\n"
        "from trailers12k.common.errors import UserError\n"
        "from trailers12k.jobs.context import job\n"
        f"with job({str(tmp_path / 'logs' / 'a.log')!r}):\n    {body}"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    return done.returncode, (tmp_path / "logs" / "a.log").read_text().splitlines()


def test_a_job_that_succeeds_logs_to_its_file(tmp_path):
    code, lines = run(tmp_path, "import logging; logging.getLogger('x').info('a word')")
    assert code == 0 and len(lines) == 1 and lines[0].endswith("INFO a word")
    code, lines = run(tmp_path, "import warnings; warnings.warn('old')")
    assert code == 0 and "old" in lines[0], "a new log replaces the old one"


def test_an_error_of_the_user_is_one_line(tmp_path):
    code, lines = run(tmp_path, "raise UserError('a.csv: no rows')")
    assert code == 1 and len(lines) == 1 and lines[0].endswith("ERROR a.csv: no rows")


def test_a_full_disk_is_one_line_that_says_what_to_do(tmp_path):
    code, lines = run(tmp_path, "raise OSError(28, 'No space left on device')")
    assert code == 1 and len(lines) == 1
    assert lines[0].endswith("device; free some space, then run the same command again")


def test_a_folder_in_the_place_of_a_file_is_one_line_that_names_it_and_a_command(tmp_path):
    (tmp_path / "a.csv").mkdir()
    path = str(tmp_path / "a.csv")
    for body in (f"open({path!r}, 'w')", f"os.replace({__file__!r}, {path!r})"):
        code, lines = run(tmp_path, body)
        assert code == 1 and len(lines) == 1
        words = "is a folder where a file belongs; move it aside: trailers12k verify --repair"
        assert lines[0].endswith(f"ERROR {path} {words}")


def test_a_file_that_cannot_be_written_is_one_line_that_names_it_and_its_folder(tmp_path):
    path = tmp_path / "data" / "mtgc.csv"
    partial = f"{path}.0123abcd-7-0123abcd.partial"
    code, lines = run(tmp_path, f"raise PermissionError(13, 'Permission denied', {partial!r})")
    assert code == 1 and len(lines) == 1
    words = f"Permission denied in the folder {path.parent}; see to it, then run"
    assert f"ERROR {path}: {words}" in lines[0]


def test_another_exception_is_a_traceback_and_its_last_line_the_reason(tmp_path):
    for error in ("ValueError('odd')", "OSError(13, 'odd')"):
        code, lines = run(tmp_path, f"raise {error}")
        assert code == 1 and "Traceback (most recent call last)" in lines[0]
        assert "Error: " in lines[-1] and "odd" in lines[-1] and "ERROR" in lines[-1]


def test_a_failure_is_permanent_unless_memory_or_another_node_may_help(tmp_path, monkeypatch):
    monkeypatch.setenv(RUN, "run 1")
    log = tmp_path / "logs" / "a.log"
    errors = {
        "UserError('no test movie')": True,
        "ValueError('odd')": True,
        "OSError(28, 'No space left on device')": True,
        "MemoryError()": False,
        "RuntimeError('CUDA error: uncorrectable ECC error encountered')": False,
        "OSError(116, 'Stale file handle')": False,
    }
    for error, expected in errors.items():
        run(tmp_path, f"raise {error}")
        assert read_outcome(log).permanent_in == ("run 1" if expected else ""), error
        assert is_permanent([log]) is expected, error
    run(tmp_path, "raise UserError('no test movie')")
    monkeypatch.setenv(RUN, "run 2")
    assert not is_permanent([log]), "of an earlier run"
    run(tmp_path, "os.kill(os.getpid(), signal.SIGKILL)")
    assert not is_permanent([log]) and not is_permanent([])


def test_an_interrupt_ends_the_process_at_once(tmp_path):
    body = "os.kill(os.getpid(), signal.SIGINT); time.sleep(30)"
    code, lines = run(tmp_path, body)
    assert code == 130 and lines[-1].endswith("interrupted; the same command continues from here")


def test_a_job_ends_with_the_process_that_started_it(tmp_path):
    log = tmp_path / "logs" / "a.log"
    job_code = (
        f"from trailers12k.jobs.context import job\nimport time\nwith job({str(log)!r}):\n"
        "    print('begun', flush=True); time.sleep(60)"
    )
    parent = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', {job_code!r}], stdout=subprocess.PIPE)\n"
        "child.stdout.readline()"
    )
    subprocess.run([sys.executable, "-c", parent], timeout=60, check=True)
    end = time.monotonic() + 20
    while "has ended; so does the job" not in log.read_text():
        assert time.monotonic() < end
        time.sleep(0.1)
