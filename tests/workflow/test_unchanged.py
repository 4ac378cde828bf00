"""Unchanged content costs nothing: a job whose inputs have the same content gets its result back.

Real work is counted by what cannot be faked: no job of these runs can import torch, so that none
trains, and none computes features; packed arrays keep their inodes.
"""

import csv
import json
import os
import re
import resource
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from trailers12k.jobs.outcome import Outcome, read_outcome

from .conftest import IMAGE, ROOT, VIDEO, Project, Run, audit_of

MOST_CPU = 15.0
"""CPU seconds of a run in which nothing is new, beyond those of one that plans nothing."""
NEVER = ("train_run", "pack_store", "map_features")
"""Rules whose jobs must do no work."""


@pytest.fixture(scope="module")
def no_torch(tmp_path_factory) -> Path:
    """A folder from which Python imports a torch that fails."""
    folder = tmp_path_factory.mktemp("no torch")
    (folder / "torch.py").write_text("raise ImportError('this run must compute nothing')\n")
    return folder


@pytest.fixture(scope="module")
def project(tmp_path_factory, sample) -> Project:
    return Project.copied(sample.folder, tmp_path_factory.mktemp("unchanged") / "project")


def arrays(project: Project) -> dict[str, int]:
    """Packed array -> its inode."""
    return {path.name: path.stat().st_ino for path in project.folder.glob("build/packed/*.npy")}


def learned(project: Project) -> dict[Path, bytes]:
    """The curves and models of all trainings."""
    paths = sorted(project.folder.glob("results/runs/*/*/*"))
    return {path.relative_to(project.folder): path.read_bytes() for path in paths}


def outcomes(project: Project, since: float) -> Mapping[str, Outcome]:
    """Log below logs/ -> the outcome of the job, of jobs that began after a time."""
    logs = project.folder / "logs"
    found = {path: read_outcome(path) for path in sorted(logs.rglob("*.log"))}
    return {
        path.relative_to(logs).as_posix(): each
        for path, each in found.items()
        if each and each.began >= since
    }


def build_for_nothing(project: Project, no_torch: Path, *arguments: str) -> Run:
    """A run that must put everything back; returns it."""
    began, packed, trained = time.time(), arrays(project), learned(project)
    times = [cpu_of_children()]
    run = project.build(*arguments, env={"PYTHONPATH": f"{no_torch}:{project.folder}"})
    times.append(cpu_of_children())
    if not arguments:
        assert "Nothing to be done" in project.build().text
    else:
        project.build("--dry-run")
    times.append(cpu_of_children())
    assert len(packed) == 2 and arrays(project) == packed
    assert len(trained) == 30 and learned(project) == trained
    jobs = outcomes(project, began)
    assert sum(run.jobs.values()) == len(jobs)
    worked = [name for name, each in jobs.items() if not each.cost]
    assert not [name for name in worked if name.startswith(NEVER)]
    for name, each in jobs.items():
        assert not each.counts.get("computed"), name
        # A retry round tries what failed.
        assert not each.todo or name.startswith("download_"), name
    cpu, start = times[1] - times[0], times[2] - times[1]
    assert cpu - start < MOST_CPU, (cpu, start, worked)
    return run


def cpu_of_children() -> float:
    """The CPU seconds of all processes that this one started and that ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_a_retry_round_without_a_new_file(project, no_torch):
    run = build_for_nothing(project, no_torch, "--config", "retry=all")
    assert run.jobs["download_trailers"] and run.jobs["train_run"] == 6
    assert run.jobs["extract_features"]


def test_a_repaired_store_and_one_that_was_deleted(project, no_torch):
    stores = [project.folder / "data" / f"{store}.zarr" for store in (IMAGE, VIDEO)]
    shutil.rmtree(next(stores[0].glob("tt*")))
    shutil.rmtree(stores[1])
    run = build_for_nothing(project, no_torch)
    assert (run.jobs["merge_store"], run.jobs["pack_store"], run.jobs["train_run"]) == (2, 2, 6)
    assert "1 added or replaced" in project.log(f"merge_store/{IMAGE}.log")


def test_a_copy_under_another_name_whose_files_are_all_touched(project, no_torch, tmp_path):
    subprocess.run(["cp", "-a", project.folder, tmp_path / "copied"], check=True)
    os.rename(tmp_path / "copied", tmp_path / "renamed")
    copy = Project.__new__(Project)
    copy.folder, copy.config = tmp_path / "renamed", project.config
    for top in ("data", "build", "results", "scripts"):
        for path in (copy.folder / top).rglob("*"):
            if path.is_file() and "cache" not in path.parts:
                path.touch()
    # The index of a store has the times of its arrays.
    run = build_for_nothing(copy, no_torch)
    assert (run.jobs["merge_store"], run.jobs["train_run"]) == (2, 6)


def test_a_title_changed(of_table, no_torch, tmp_path):
    project = Project.copied(of_table.folder, tmp_path / "project")
    path = project.folder / "movies.csv"
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    rows[0]["title"] = "Another title"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    # All that could depend on it, whether Snakemake would run it or not.
    run = build_for_nothing(project, no_torch, "--forcerun", "make_splits")
    assert run.jobs["train_run"] == 6
    assert "Another title" in (project.folder / "results/tables/trailers.csv").read_text()


def test_what_is_forced_is_computed(project):
    before = learned(project)
    began = time.time()
    target = "results/runs/image/split0/run.json"
    project.build(target, "--forcerun", target)
    assert not outcomes(project, began)["train_run/image/split0.log"].cost
    assert learned(project) == before


def test_a_training_packs_arrays_that_are_missing_or_were_overwritten(project):
    arrays = [project.folder / f"build/packed/{store}.npy" for store in (IMAGE, VIDEO)]
    before, trained = [array.read_bytes() for array in arrays], learned(project)
    arrays[0].unlink()
    np.save(arrays[1], np.zeros_like(np.load(arrays[1])))
    assert "Nothing to be done" in project.build().text
    targets = [f"results/runs/{run}/split0/run.json" for run in ("image", "video")]
    project.build(*targets, "--forcerun", *targets)
    assert [array.read_bytes() for array in arrays] == before and learned(project) == trained
    assert "is packed again" in project.log("train_run/video/split0.log")


def test_jobs_read_nothing_that_their_rules_and_scripts_do_not_declare(
    tmp_path_factory, worker_id, sample, of_table
):
    """Such a file could change, and a result that depends on it be put back all the same."""
    scripts = {path.stem: path.read_text() for path in (ROOT / "scripts").glob("*.py")}
    kept = {name for name, text in scripts.items() if re.search(r"\brun_job\(", text)}
    seen = {}
    for name in ("sample", "table"):
        for path in audit_of(tmp_path_factory, worker_id, name).glob("*.json"):
            record = json.loads(path.read_text())
            assert not record["undeclared"], (path.name, record["undeclared"])
            seen[record["rule"]] = seen.get(record["rule"], 0) + record["read"]
    # Of no target that these projects build.
    others = {"predict_variants", "score_options", "write_review", "fit_baselines"}
    others |= {"split_by_year", "group_duplicates", "measure_split_effect", "predict_zero_shot"}
    assert kept - seen.keys() <= others
    assert {rule for rule, read in seen.items() if not read} <= {"write_config", "list_movies"}
