"""profiles/slurm on a real Slurm: jobs that are cancelled or too large come again, and the products
are those of this machine alone."""

import os
import sys
import threading
import time

import pytest
import yaml

from .conftest import ROOT, TINY, Project
from .slurm import Cluster, missing

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


def local_jobs(text):
    return [
        line.split()[1].rstrip(":") for line in text.splitlines() if line.startswith("localrule")
    ]
