"""Where Slurm cannot be asked for the jobs of an earlier run; on Slurm: workflow/test_slurm.py."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from trailers12k.cli import snakemake
from trailers12k.common.errors import UserError
from trailers12k.common.files import write_json
from trailers12k.workflow import cluster_jobs, folder, run_lock

ON_SLURM = SimpleNamespace(
    scheduler=SimpleNamespace(_executor=SimpleNamespace(run_uuid="0123-abcd"))
)
ON_THIS_HOST = SimpleNamespace(scheduler=SimpleNamespace(_executor=SimpleNamespace()))


@pytest.fixture(autouse=True)
def collection(tmp_path, monkeypatch):
    """A folder on a host without Slurm."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))


def test_without_squeue_the_jobs_of_a_run_on_slurm_may_be_at_work():
    cluster_jobs.record(ON_SLURM)
    for ask in (cluster_jobs.refuse, lambda: cluster_jobs.record(ON_THIS_HOST)):
        with pytest.raises(UserError, match="there is no squeue here; run again where squeue"):
            ask()
    for cancels in (False, True):
        with pytest.raises(UserError, match=r"first: rm \.snakemake/cluster_jobs\.json"):
            snakemake.end_earlier_jobs([], cancels)
    assert cluster_jobs.may_be_at_work() and cluster_jobs.RECORD.exists()
    assert not folder.is_running(), "without a lock it has ended"
    cluster_jobs.forget()
    cluster_jobs.refuse()


def test_a_run_on_this_host_and_a_copy_of_a_folder_have_no_jobs_on_slurm(tmp_path, monkeypatch):
    cluster_jobs.record(ON_THIS_HOST)
    assert not cluster_jobs.RECORD.exists()
    cluster_jobs.record(ON_SLURM)
    shutil.copytree(tmp_path / ".snakemake", tmp_path / "copy" / ".snakemake")
    monkeypatch.chdir(tmp_path / "copy")
    assert cluster_jobs.at_work() == []
    snakemake.end_earlier_jobs([], cancels=True)
    assert not cluster_jobs.RECORD.exists()


@pytest.mark.parametrize("name", ["", "a b", "-all", "x;reboot", 5, None, ["a"]])
def test_a_record_of_other_content_names_no_jobs(name):
    write_json(cluster_jobs.RECORD, {"folder": str(Path.cwd()), "name": name})
    assert cluster_jobs.at_work() == []


def test_a_plan_waits_for_nothing():
    for words in (["-n"], ["clips", "-np"], ["--dry-run"], ["--dryrun"]):
        assert snakemake.is_dry(words)
    for words in ([], ["clips", "--cores", "2"], ["-j", "4"], ["--config", "n=1"], ["-c2"]):
        assert not snakemake.is_dry(words)


def test_the_holder_of_a_lock_on_another_host_is_named(monkeypatch):
    run_lock.LOCKS.mkdir(parents=True)
    (run_lock.LOCKS / "0.input.lock").touch()
    run_lock.record_lock()
    assert run_lock.at_work() and not run_lock.at_work_elsewhere()
    here = run_lock.this_process()
    monkeypatch.setattr(
        run_lock, "this_process", lambda: run_lock.Process("login2 1", "b", "n", 1, 1)
    )
    words = run_lock.at_work_elsewhere()
    assert words.startswith(f"a run on {here.host.split()[0]} (process {here.pid}, since ")
    assert "trailers12k run --unlock" in words and not run_lock.at_work()


def test_a_moved_folder_has_its_jobs_still(tmp_path, monkeypatch):
    here = tmp_path / "before"
    here.mkdir()
    monkeypatch.chdir(here)
    cluster_jobs.record(ON_SLURM)
    here.rename(tmp_path / "after")
    monkeypatch.chdir(tmp_path / "after")
    with pytest.raises(UserError, match="may be at work"):
        cluster_jobs.refuse()
