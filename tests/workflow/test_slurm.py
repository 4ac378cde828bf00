"""profiles/slurm on a real Slurm: jobs that are cancelled or too large come again, and the products
are those of this machine alone."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import yaml

from trailers12k.workflow import cluster_jobs, run_lock

from .conftest import ROOT, TINY, Project
from .slurm import OFTEN, Cluster, missing, until

PLUGIN = ROOT / ".venv" / "slurm"
lacking = missing() + ([] if PLUGIN.is_dir() else ["the executor plugin: make .venv/slurm"])
pytestmark = pytest.mark.skipif(
    bool(lacking), reason=f"no Slurm here: {', '.join(lacking)} (apt-get install slurm-wlm munge)"
)

QUICK = [
    *("--seconds-between-status-checks", "2"),
    *("--slurm-init-seconds-before-status-checks", "2"),
    *("--latency-wait", "10"),
]
LOCAL = {"download_trailers", "download_posters"}
ON_GPUS = {"extract_features", "train_run"}


def test_the_cluster_makes_what_one_machine_makes(sample, tmp_path):
    project = Project(tmp_path / "project", TINY)
    profile = project.folder / "profiles" / "slurm" / "config.yaml"
    settings = yaml.safe_load(profile.read_text())
    # Too little for the first attempt, so that Slurm ends it.
    settings["set-resources"]["merge_clips"] = {"mem_mb": "40 if attempt == 1 else 2000"}
    profile.write_text(yaml.safe_dump(settings))
    with (project.folder / "Snakefile").open("a") as rules:
        rules.write(OFTEN.format(seconds=2))
    with Cluster(tmp_path / "cluster") as cluster:
        running = project.start(
            *("--workflow-profile", "profiles/slurm", *QUICK),
            cores="",
            python=[*cluster.inside(project.folder), sys.executable],
            env={"PYTHONPATH": os.pathsep.join([str(project.folder), str(PLUGIN)])},
        )
        rules: dict[str, str] = {}
        gpus: dict[str, str] = {}
        cancelled = []

        def watch():
            while running.poll() is None:
                for job in cluster.jobs():
                    rule = job["comment"].removeprefix("rule_").split("_wildcards")[0]
                    rules[job["id"]], gpus[rule] = rule, job["gpus"]
                    if rule == "train_run" and job["state"] == "RUNNING" and not cancelled:
                        cancelled.append(job["id"])
                        cluster.run("scancel", job["id"])
                time.sleep(0.3)

        watching = threading.Thread(target=watch)
        watching.start()
        text, _ = running.communicate()
        watching.join()
        ended = cluster.ended()
    assert running.returncode == 0, text[-5000:]

    assert cancelled
    ends = {job["JobId"]: job["JobState"] for job in ended}
    assert ends[cancelled[0]] == "CANCELLED"
    assert sorted(set(ends.values())) == ["CANCELLED", "COMPLETED", "FAILED"]
    assert text.count("Trying to restart job") == 2
    # Where they ran, and what they asked for: the first attempt of each.
    got = {}
    for job in ended:
        if rule := rules.get(job["JobId"]):
            got.setdefault(rule, (job["Partition"], job["TimeLimit"], job["Tres"]))
    assert got["detect_clips"] == ("cpu", "120", "cpu=1,mem=3000M,node=1,billing=1")
    assert got["merge_store"] == ("cpu", "60", "cpu=1,mem=4000M,node=1,billing=1")
    assert got["extract_features"] == ("gpu", "240", "cpu=8,mem=24000M,node=1,billing=8")
    assert got["train_run"] == ("gpu", "120", "cpu=1,mem=8000M,node=1,billing=1")
    assert {rule for rule, told in gpus.items() if told == "gres:gpu:1"} == ON_GPUS
    again = [job["Tres"] for job in ended if rules.get(job["JobId"]) == "train_run"]
    assert any("mem=16000M" in tres for tres in again), "a retry gets more"
    assert not LOCAL & set(rules.values()) and set(local_jobs(text)) >= LOCAL
    # What Slurm said of the job that failed is where a person looks.
    [log] = (project.folder / "logs" / "slurm" / "rule_merge_clips").rglob("*.log")
    assert "exceeded memory limit" in log.read_text()

    here, there = sample.products(costs=False), project.products(costs=False)
    assert here.keys() == there.keys()
    assert [name for name in here if here[name] != there[name]] == []


def test_after_kill_9_the_next_run_cancels_or_awaits_the_jobs_that_are_left(tmp_path):
    project = Project(tmp_path / "project", TINY)
    project.command("backbones", "--help")  # writes config.yaml
    with Cluster(tmp_path / "cluster") as cluster:
        command = [*cluster.inside(project.folder), Path(sys.executable).with_name("trailers12k")]
        command += ["run", "data/movies.csv", "--workflow-profile", "profiles/slurm", *QUICK]

        def start(*arguments):
            paths = os.pathsep.join([str(project.folder), str(PLUGIN)])
            return subprocess.Popen(
                [*command, *arguments],
                env=os.environ | {"PYTHONPATH": paths},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )

        def kill_after_submission(running, earlier=""):
            until(lambda: {job["id"] for job in cluster.jobs()} - {earlier})
            [job] = cluster.jobs()
            os.kill(run_lock._read_holder(project.folder)[0].pid, signal.SIGKILL)
            running.kill()
            running.communicate()
            return job["id"]

        drain = ["scontrol", "update", "NodeName=c1", "Reason=test"]
        cluster.run(*drain, "State=DRAIN")  # jobs wait
        first = kill_after_submission(start())
        assert folder_is_running(cluster, project)
        second = kill_after_submission(start("--running-jobs", "cancel"), first)
        third = start()
        line = third.stdout.readline()
        assert line.startswith(
            f"1 job ({second}) of an earlier run is still at work in this folder; "
        )
        assert len(cluster.jobs()) == 1 and not (project.folder / "data/movies.csv").exists()
        cluster.run(*drain, "State=RESUME")
        text, _ = third.communicate(timeout=120)
        ends = {job["JobId"]: job["JobState"] for job in cluster.ended()}
    assert third.returncode == 0 and "Nothing to be done" in text and "unlock" not in text, text
    assert ends[first] == "CANCELLED" and ends[second] == "COMPLETED"
    assert (project.folder / "data/movies.csv").exists()
    assert not (project.folder / cluster_jobs.RECORD).exists()


def folder_is_running(cluster, project):
    """Whether commands of that folder consider its run at work."""
    code = "from trailers12k.workflow import folder; print(folder.is_running())"
    asked = [*cluster.inside(project.folder), sys.executable, "-c", code]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout == "True\n"


def local_jobs(text):
    return [
        line.split()[1].rstrip(":") for line in text.splitlines() if line.startswith("localrule")
    ]
