"""Commands that only read the workflow change no file: parsing reads, jobs write."""

import os
import shutil

import pytest

from .conftest import LOCAL, TINY, VIDEO, Project

COMMANDS = {
    "dry run": ["--dry-run"],
    "summary": ["--summary"],
    "rules": ["--list-rules"],
    "targets": ["--list-target-rules"],
    "lint": ["--lint"],
    "report": ["--report", "../report.html"],
    "another collection": ["--dry-run", "--config", "movies=published"],
}
OF_RULES = ("rules", "targets", "lint")
"""Commands that read the rules as a dry run does, and then no product."""


def state_of(project: Project) -> dict[str, tuple]:
    """Type, size, modification time and content of everything but Snakemake's own files."""
    state = {}
    for path in project.folder.rglob("*"):
        parts = path.relative_to(project.folder).parts
        if parts[0] == ".snakemake" or "__pycache__" in parts:
            continue
        status = path.lstat()
        content = path.read_bytes() if path.is_file() else b""
        state["/".join(parts)] = status.st_mode, status.st_size, status.st_mtime_ns, content
    return state


def damage(project: Project) -> None:
    """Cut one array, delete another, put foreign files and a hostile movie id into a store."""
    store = project.folder / "data" / f"{VIDEO}.zarr"
    cut, deleted = sorted(store.glob("tt*"))[:2]
    os.truncate(cut / "0.0", 5)
    shutil.rmtree(deleted)
    (store / "tt7777777").mkdir()
    (store / "tt7777777" / "diary.txt").write_text("mine")
    victim = project.folder.parent / "victim"
    victim.mkdir(exist_ok=True)
    (victim / "0.0").write_text("precious")
    with store.with_suffix(".csv").open("a") as file:
        file.write("../../../victim,3,0123456789abcdef\n")


def leave_half_done(project: Project) -> None:
    """Delete products of several stages."""
    for path in ("data/mtgc.csv", "build/ledger/clips/000.csv", f"data/{VIDEO}.csv"):
        (project.folder / path).unlink()


@pytest.mark.parametrize("change", [None, damage, leave_half_done])
def test_reading_changes_no_file(sample, tmp_path, change):
    project = Project.copied(sample.folder, tmp_path / "project")
    if change:
        change(project)
    project.run("--list-rules")  # writes config.yaml once more, as `Project` does
    config = (project.folder / "config.yaml").stat()
    before = state_of(project)
    for name, arguments in COMMANDS.items():
        if change and name in OF_RULES:
            continue
        run = project.run(*arguments)
        os.utime(project.folder / "config.yaml", ns=(config.st_atime_ns, config.st_mtime_ns))
        assert "Traceback (most recent call last)" not in run.text, name
        after = state_of(project)
        changed = {path for path in before | after if before.get(path) != after.get(path)}
        assert changed == set(), name
    victim = tmp_path / "victim" / "0.0"
    assert not victim.parent.exists() or victim.read_text() == "precious"


@pytest.mark.parametrize("job", ["detect_clips:shard=003", "train_run:run=video,split=0"])
def test_a_job_of_a_cluster_plans_itself_and_reads_no_movie(tmp_path, job):
    # Neither the table nor any product is there: to look for one would be an error.
    project = Project(tmp_path / "project", TINY | LOCAL | {"curation": "movies.csv"})
    rule = job.partition(":")[0]
    planned = project.build(
        *("-n", "--mode", "remote", "--target-jobs", job, "--allowed-rules", rule), cores="all"
    )
    assert planned.jobs == {rule: 1}
    assert "movies.csv" not in planned.text and "movies.csv" in project.run("-n").text
