"""Runs whose real Slurm stops answering or forgets jobs: they finish, and stop when told to.

Toy rules, but the process that `trailers12k run` starts. `make cluster` runs the long cases, too.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .slurm import OFTEN, Cluster, until
from .test_slurm import PLUGIN, pytestmark  # noqa: F401  # skips without Slurm

LONG = bool(os.environ.get("CLUSTER"))
long = pytest.mark.skipif(not LONG, reason="minutes of waiting: make cluster")

RULES = """
from trailers12k.workflow import executors
executors.use_own_slurm_executor()

rule all:
    localrule: True
    input: "merged.txt"
rule one:
    output: "{n}.txt"
    wildcard_constraints: n="[0-9]+"
    shell:
        "date +%N > {output}.new; echo $SLURM_JOB_ID >> tried.log; "
        "mkdir {output}.slept && sleep {wildcards.n}; mv {output}.new {output}"
rule early:
    localrule: True
    output: "early.txt"
    shell: "sleep {config[early]}; touch {output}"
rule last:
    input: "early.txt"
    output: "last.txt"
    threads: lambda wildcards, attempt: 4 if attempt == 1 else 1  # all of its node, at first
    shell: "echo made > {output}; echo $SLURM_JOB_ID >> tried.log"
rule merge:
    localrule: True
    input: expand("{n}.txt", n=config["seconds"]), "last.txt"
    output: "merged.txt"
    shell: "cat {input} > {output}"
"""
IMPATIENT = f"{OFTEN.format(seconds=1)}slurm_executor.FORGOTTEN = 3\n"
MODULE = "trailers12k.workflow.snakemake_process"
OPTIONS = [
    *("--snakefile", "rules.smk", "--executor", "slurm", "--slurm-no-account", "--jobs", "20"),
    *("--local-cores", "1", "--retries", "2", "--keep-going", "--latency-wait", "2"),
    *("--slurm-status-command", "squeue", "--slurm-logdir", "logs/slurm"),
    *("--default-resources", "slurm_partition=cpu", "mem_mb=500", "runtime=20"),
]
QUICK = [
    *("--seconds-between-status-checks", "1"),
    *("--slurm-init-seconds-before-status-checks", "1"),
]


class Toy:
    """A run of the toy rules in a cluster. code: at the end of its rules. seconds:
    which each job sleeps, once. early: of the job on the submit host. is_old: with a
    product of an earlier run."""

    def __init__(self, cluster, folder, *options, code="", seconds=(0, 1), early=0, is_old=False):
        self.folder, self.seconds = folder, seconds
        folder.mkdir()
        (folder / "rules.smk").write_text(RULES + code)
        if is_old:
            (folder / "last.txt").write_text("old\n")
        self.log = folder / "said.txt"
        config = ["--config", f"seconds=[{','.join(map(str, seconds))}]", f"early={early}"]
        paths = [str(Path(__file__).parents[2]), str(PLUGIN)]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [
                    *cluster.inside(folder),
                    *(sys.executable, "-m", MODULE, str(os.getpid()), *OPTIONS, *options, *config),
                ],
                env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def until(self, is_so, seconds=60):
        def is_so_or_over():
            assert self.process.poll() is None, self.said
            return is_so()

        until(is_so_or_over, seconds)

    def has(self, *names):
        return all((self.folder / name).exists() for name in names)

    @property
    def said(self):
        return self.log.read_text()

    @property
    def tried(self):
        """Slurm's numbers of the jobs that were started."""
        return (self.folder / "tried.log").read_text().split()

    def ends(self, seconds):
        """Its exit code, once it has ended by itself."""
        return self.process.wait(seconds)


@long
def test_jobs_that_slurm_has_forgotten_are_ended_or_come_again(tmp_path):
    """The controller is killed and loses its jobs: of one that has ended, one that runs, and one
    that waits and has a product of an earlier run."""
    with Cluster(tmp_path / "cluster") as cluster:
        forced = [*QUICK, "--forcerun", "last"]
        how = {"code": IMPATIENT, "seconds": (0, 30), "early": 1, "is_old": True}
        toy = Toy(cluster, tmp_path / "toy", *forced, **how)
        toy.until(lambda: toy.has("0.txt", "30.txt.new") and "PENDING" in states(cluster))
        first = (toy.folder / "0.txt").read_text()
        cluster.kill_controller()
        cluster.forget()
        time.sleep(14)  # Slurm's commands fail after 9
        cluster.start_controller()
        assert toy.ends(300) == 0, toy.said
    assert "Falling back to 'sacct'" in toy.said, "the plugin alone would wait for ever"
    assert (toy.folder / "0.txt").read_text() == first, "a finished product is kept"
    assert (toy.folder / "last.txt").read_text() == "made\n", "an earlier product is not taken"
    assert sorted(map(len, toy.tried)) == [1, 1, 4, 4], "two jobs came again, by later numbers"
    assert toy.said.count("Trying to restart job") == 2


def states(cluster):
    return [job["state"] for job in cluster.jobs()]


def test_a_controller_may_be_away_for_a_moment(tmp_path):
    with Cluster(tmp_path / "cluster") as cluster:
        often = OFTEN.format(seconds=1)
        toy = Toy(cluster, tmp_path / "toy", *QUICK, code=often, seconds=(0, 20))
        toy.until(lambda: toy.has("0.txt", "20.txt.new"))
        survives(cluster, toy, signal.SIGTERM, 14)  # Slurm's commands fail after 9
    assert "Falling back to 'sacct'" in toy.said, "the plugin alone would wait for ever"
    assert len(toy.tried) == 3, "no job came again"


@long
@pytest.mark.parametrize("seconds", [5, 30, 120])
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_a_controller_may_be_away(tmp_path, seconds, how):
    with Cluster(tmp_path / "cluster") as cluster:
        toy = Toy(cluster, tmp_path / "toy", seconds=(0, 10, 20, 40))
        toy.until(lambda: cluster.ended() and toy.has("40.txt.new"))
        time.sleep(8)  # Slurm saves every 5 seconds which jobs have ended
        survives(cluster, toy, how, seconds)
    assert len(toy.tried) == 5, "no job came again"
    assert toy.said.count("Slurm does not answer") == toy.said.count("Slurm answers again")


def survives(cluster, toy, how, seconds):
    """The run goes on after the controller was away."""
    cluster.kill_controller(how)
    time.sleep(seconds)
    cluster.start_controller()
    assert toy.ends(400) == 0, toy.said


@long
def test_a_short_memory_of_slurm(tmp_path):
    """MinJobAge below three times the first wait, without accounting; polls come later still."""
    seldom = [
        *("--seconds-between-status-checks", "90"),
        *("--slurm-init-seconds-before-status-checks", "90"),
    ]
    with Cluster(tmp_path / "cluster", ["MinJobAge=20"]) as cluster:
        toy = Toy(cluster, tmp_path / "toy", *seldom, seconds=(0, 1, 2, 3))
        assert toy.ends(600) == 0, toy.said
    assert len(toy.tried) == 5, "no job came again"


@long
def test_jobs_of_an_array_that_wait_are_known(tmp_path):
    """squeue names them together, as 1_[5-6]."""
    with Cluster(tmp_path / "cluster") as cluster:
        arrays = [*QUICK, "--slurm-array-jobs", "one"]
        seconds = (20, 21, 22, 23, 24, 25)  # on four cores
        toy = Toy(cluster, tmp_path / "toy", *arrays, code=IMPATIENT, seconds=seconds)
        toy.until(lambda: "_[" in cluster.run("squeue", "-h", "-o", "%i").stdout)
        assert toy.ends(300) == 0, toy.said
    assert len(toy.tried) == 7, "no job came again"


@long
def test_a_submission_waits_for_the_controller(tmp_path):
    """The last job is submitted while nobody answers."""
    with Cluster(tmp_path / "cluster") as cluster:
        toy = Toy(cluster, tmp_path / "toy", *QUICK, seconds=(0,), early=40)
        toy.until(lambda: toy.has("0.txt"))
        cluster.kill_controller(signal.SIGTERM)
        toy.until(lambda: toy.has("early.txt"))
        time.sleep(40)
        cluster.start_controller()
        assert toy.ends(200) == 0, toy.said
    assert "Trying to restart" not in toy.said and len(toy.tried) == 2


@long
@pytest.mark.parametrize("is_away", [False, True])
def test_ctrl_c_ends_a_run_in_time(tmp_path, is_away):
    with Cluster(tmp_path / "cluster") as cluster:
        toy = Toy(cluster, tmp_path / "toy", seconds=(0, 300))
        toy.until(lambda: toy.has("0.txt", "300.txt.new"))
        if is_away:
            cluster.kill_controller(signal.SIGTERM)
            time.sleep(5)
        began = time.monotonic()
        os.killpg(toy.process.pid, signal.SIGINT)
        assert toy.ends(60) != 0, toy.said
        took = time.monotonic() - began
        assert took < 30, (took, toy.said)
        if is_away:
            assert "jobs of this run may be at work" in toy.said
            cluster.start_controller()
            until(cluster.jobs)
            cluster.run("scancel", "--user=root")
        until(lambda: not cluster.jobs(), 150)


@long
def test_a_limit_of_jobs_is_waited_for_and_another_refusal_is_final(tmp_path):
    full = "sbatch: error: Batch job submission failed: Resource temporarily unavailable"
    sbatch = tmp_path / "bin" / "sbatch"
    sbatch.parent.mkdir()
    # The first submission meets the limit.
    sbatch.write_text(
        f"#!/bin/sh\nif mkdir {tmp_path}/met 2>/dev/null; then echo '{full}' >&2; exit 1; fi\n"
        f'exec {shutil.which("sbatch")} "$@"\n'
    )
    sbatch.chmod(0o755)
    code = (
        "from trailers12k.workflow import permanent_failures\n"
        "permanent_failures.fail_once()\n"
        f"import os; os.environ['PATH'] = {str(sbatch.parent)!r} + ':' + os.environ['PATH']\n"
        "from trailers12k.workflow import slurm_executor\n"
        "slurm_executor.PAUSE = 1\n"
    )
    nowhere = ["--default-resources", "slurm_partition=nowhere", "mem_mb=500", "runtime=20"]
    with Cluster(tmp_path / "cluster") as cluster:
        limited = Toy(cluster, tmp_path / "limited", *QUICK, code=code, seconds=(0,))
        assert limited.ends(100) == 0, limited.said
        refused = Toy(cluster, tmp_path / "refused", *QUICK, *nowhere, code=code, seconds=(0,))
        assert refused.ends(100) != 0
    assert limited.said.count("Slurm takes no more jobs at present") == 1
    assert "Trying to restart" not in limited.said and len(limited.tried) == 2
    assert "invalid partition" in refused.said and "Trying to restart" not in refused.said


@long
def test_preferences_of_the_user_hide_no_job(tmp_path, monkeypatch):
    monkeypatch.setenv("SQUEUE_STATES", "SUSPENDED")
    with Cluster(tmp_path / "cluster") as cluster:
        toy = Toy(cluster, tmp_path / "toy", *QUICK, code=IMPATIENT, seconds=(15,))
        assert toy.ends(100) == 0, toy.said
    assert len(toy.tried) == 2, "no job came again"
