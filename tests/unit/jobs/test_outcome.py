"""The outcome of a job, and a job that prints nothing."""

import logging
import subprocess
import sys
import warnings

import pytest

from trailers12k.common.errors import Failure
from trailers12k.common.files import write_csv
from trailers12k.jobs.context import QUIET, job
from trailers12k.jobs.outcome import MOST_WARNINGS, outcome_file, put_back, read_outcome, unchanged
from trailers12k.jobs.runner import Task, process

log = logging.getLogger("trailers12k.test")


def work(mid):
    if mid == "tt0000002":
        raise Failure("corrupt", "no frames")
    return {}


def shard(folder):
    mids = ["tt0000001", "tt0000002"]
    tasks = [Task(mid, "f") for mid in mids] + [Task("tt0000003", skip="no_trailer")]
    return process(tasks, folder, work)


def test_a_job_says_which_movies_it_computes_and_what_became_of_them(tmp_path):
    file = tmp_path / "a.log"
    with job(file):
        shard(tmp_path / "records")
        during = read_outcome(file)
    assert during.todo == ("tt0000001", "tt0000002")
    assert during.records == (str(tmp_path / "records"),) and not during.ended
    ended = read_outcome(file)
    assert ended.counts == {"computed": 1, "kept": 0, "failed": 1, "skipped": 1}
    assert ended.ended and not ended.unchanged and not ended.error
    assert ended.warnings == (), "a movie's failure is in its record"


def test_a_job_without_movies_to_compute_found_its_result_unchanged(tmp_path):
    with job(tmp_path / "a.log"):
        shard(tmp_path / "records")
    with job(tmp_path / "a.log"):
        shard(tmp_path / "records")
    again = read_outcome(tmp_path / "a.log")
    assert again.unchanged and again.todo == ()
    assert again.counts == {"computed": 0, "kept": 1, "failed": 1, "skipped": 1}


def test_a_result_that_is_put_back_has_the_failures_of_its_ledgers(tmp_path):
    columns = ["mid", "status", "reason"]
    paths = [str(tmp_path / store / "000.csv") for store in ("a", "b")]
    ok = {"mid": "tt0000001", "status": "ok"}
    failed = {"mid": "tt0000002", "status": "failed", "reason": "decode_failed"}
    skipped = {"mid": "tt0000003", "status": "skipped", "reason": "no_trailer"}
    write_csv(paths[0], columns, [ok, failed, skipped])
    write_csv(paths[1], columns, [ok, ok | {"mid": "tt0000002"}, skipped])
    with job(tmp_path / "a.log"):
        put_back({"seconds": 1.0}, paths)
    read = read_outcome(tmp_path / "a.log")
    assert read.counts == {"computed": 0, "kept": 1, "failed": 1, "skipped": 1}
    assert read.records == (str(tmp_path / "a/000"), str(tmp_path / "b/000")) and read.unchanged


def test_a_job_can_say_that_its_result_is_unchanged(tmp_path):
    with job(tmp_path / "a.log"):
        unchanged()
    assert read_outcome(tmp_path / "a.log").unchanged


@pytest.mark.filterwarnings("ignore:nor this")
def test_warnings_of_a_job_are_kept_but_for_pythons(tmp_path):
    with job(tmp_path / "a.log"):
        for number in range(2 * MOST_WARNINGS):
            log.warning("row %d is odd", number)
        log.info("not this")
        warnings.warn("nor this", stacklevel=1)
    kept = read_outcome(tmp_path / "a.log").warnings
    assert kept == tuple(f"row {number} is odd" for number in range(MOST_WARNINGS))


def test_the_reason_of_a_failed_job_is_its_error(tmp_path):
    with pytest.raises(SystemExit), job(tmp_path / "a.log"):
        raise ValueError("odd")
    outcome = read_outcome(tmp_path / "a.log")
    assert outcome.error == "ValueError: odd" and not outcome.ended


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"todo": [], "warnings": [], "new": 1}'])
def test_a_damaged_outcome_is_none(tmp_path, content):
    outcome_file(tmp_path / "a.log").write_text(content)
    assert read_outcome(tmp_path / "a.log") is None
    assert read_outcome(tmp_path / "b.log") is None


def test_a_quiet_job_prints_into_its_log_only(tmp_path):
    code = (
        "import logging, os\nfrom trailers12k.jobs.context import job\n"
        f"with job({str(tmp_path / 'a.log')!r}):\n"
        "    logging.info('logged')\n    os.write(1, b'from C\\n')\n    os.write(2, b'and C\\n')\n"
        "    logging.info('last')"
    )
    for quiet in ("1", ""):
        command = ["env", f"{QUIET}={quiet}", sys.executable, "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0
        lines = (tmp_path / "a.log").read_text().splitlines()
        if quiet:
            assert done.stdout == done.stderr == ""
            assert lines[0].endswith("logged") and lines[-1].endswith("last")
            assert lines[1:3] == ["from C", "and C"]
        else:
            assert done.stdout == "from C\n" and "logged" in done.stderr and len(lines) == 2
