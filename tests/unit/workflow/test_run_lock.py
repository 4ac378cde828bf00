"""A lock is removed only when the record of it names a process of this host that is gone."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace

import pytest

from trailers12k.cli import snakemake
from trailers12k.common.errors import UserError
from trailers12k.workflow import folder, run_lock

TAKES = (
    "import os; os.setpgid(0, 0); from trailers12k.workflow import run_lock; run_lock.record_lock()"
)


@pytest.fixture
def locked(tmp_path, monkeypatch):
    """A folder whose lock was taken by a process that is gone."""
    monkeypatch.chdir(tmp_path)
    run_lock.LOCKS.mkdir(parents=True)
    for name in ("0.input.lock", "0.output.lock"):
        (run_lock.LOCKS / name).write_text("data/movies.csv\n")
    subprocess.run([sys.executable, "-c", TAKES], check=True)
    return tmp_path


def edit(**changes):
    """Change what the record says of the process."""
    content = json.loads(run_lock.HOLDER.read_text())
    content["process"] |= changes
    run_lock.HOLDER.write_text(json.dumps(content))


def is_kept() -> bool:
    """Whether nothing removes the lock."""
    before = run_lock._lock_files()
    assert before and folder.is_running() and not run_lock.is_abandoned()
    with run_lock.exclusively():
        run_lock.release_abandoned()
    return run_lock._lock_files() == before


def test_the_lock_of_a_gone_process_is_removed(locked):
    assert run_lock.is_abandoned() and not folder.is_running()
    assert run_lock._lock_files()  # reading removes nothing
    with run_lock.exclusively():
        run_lock.release_abandoned()
    assert not run_lock._lock_files() and not run_lock.HOLDER.exists()


def test_the_lock_of_a_living_process_is_kept(locked):
    own = run_lock.this_process()
    edit(pid=own.pid, start=own.start)
    assert is_kept()


def test_only_a_living_process_of_this_host_is_at_work(locked):
    assert not run_lock.at_work()
    own = run_lock.this_process()
    edit(pid=own.pid, start=own.start)
    assert run_lock.at_work().startswith(f"another run (process {own.pid}, since ")
    with pytest.raises(UserError, match="at work in this folder"):
        snakemake.refuse_unlocking(["--unlock", "--directory", str(locked)])
    edit(namespace="pid:[1]")
    assert not run_lock.at_work()
    snakemake.refuse_unlocking(["--unlock"])


def test_a_reused_process_id_is_told_apart_by_its_start(locked):
    edit(pid=os.getpid())
    assert run_lock.is_abandoned()


@pytest.mark.parametrize(("name", "value"), [("host", "elsewhere 0123"), ("namespace", "pid:[1]")])
def test_the_lock_of_another_host_or_container_is_kept(locked, name, value):
    edit(**{name: value})
    assert is_kept()


def test_a_process_of_before_the_last_start_of_this_host_is_gone(locked):
    own = run_lock.this_process()
    edit(pid=own.pid, start=own.start, boot="an earlier one")
    assert run_lock.is_abandoned()


@pytest.mark.parametrize("content", ["", "[]", "{}", "null", '{"process": {}, "locks": {}}', None])
def test_a_lock_without_a_readable_record_is_kept(locked, content):
    if content is None:
        run_lock.HOLDER.unlink()
    else:
        run_lock.HOLDER.write_text(content)
    assert is_kept()


@pytest.mark.parametrize(
    ("name", "value"), [("pid", None), ("pid", "1"), ("pid", -1), ("start", None), ("host", 1)]
)
def test_a_record_with_wrong_types_counts_as_none(locked, name, value):
    edit(**{name: value})
    assert run_lock._read_holder() is None and is_kept()


def test_a_folder_in_the_place_of_the_record_counts_as_none(locked):
    run_lock.HOLDER.unlink()
    run_lock.HOLDER.mkdir()
    run_lock.record_lock()
    run_lock.forget_lock()
    assert is_kept() and run_lock.HOLDER.is_dir()


def test_a_lock_that_another_snakemake_took_since_is_kept(locked):
    (run_lock.LOCKS / "0.input.lock").unlink()
    (run_lock.LOCKS / "0.input.lock").write_text("data/movies.csv\n")
    assert is_kept()


def test_a_record_that_leads_out_of_the_folder_removes_nothing(locked):
    (locked / "victim").write_text("mine")
    content = json.loads(run_lock.HOLDER.read_text())
    state = (locked / "victim").stat()
    content["locks"]["../../victim"] = [state.st_ino, state.st_mtime_ns, state.st_size]
    run_lock.HOLDER.write_text(json.dumps(content))
    assert is_kept() and (locked / "victim").exists()


def test_the_jobs_of_a_gone_process_are_waited_for(locked, monkeypatch):
    job = subprocess.Popen(["sleep", "60"], start_new_session=True)
    edit(pid=job.pid, start=0)
    monkeypatch.setattr(run_lock, "PATIENCE", 0.3)
    run_lock.release_abandoned()
    assert run_lock._lock_files()
    job.kill()
    job.wait()
    run_lock.release_abandoned()
    assert not run_lock._lock_files()


def test_only_the_holder_forgets_its_record(locked):
    run_lock.forget_lock()
    assert run_lock.HOLDER.exists()
    edit(**asdict(run_lock.this_process()))
    run_lock.forget_lock()
    assert not run_lock.HOLDER.exists()


def test_a_process_is_gone_only_where_it_can_be_seen():
    own = run_lock.this_process()
    assert not run_lock.is_gone(own)
    assert run_lock.is_gone(replace(own, start=own.start + 1))
    assert not run_lock.is_gone(replace(own, start=own.start + 1, host="elsewhere"))
