"""What a person sees of runs of the real rules: progress, failures, and plans of dry runs."""

import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from trailers12k.common.files import read_csv, write_csv

from .conftest import IMAGE, Project

COMMAND = Path(sys.executable).with_name("trailers12k")
AGAIN = ("--forcerun", "merge_clips")
BLOCK = re.compile(r"^ *(local)?(rule|jobid|wildcards|reason|resources)\b.*: ?", re.M)


@pytest.fixture(scope="module")
def project(tmp_path_factory, of_table) -> Project:
    """The built project of the table, copied: these tests change it, in their order."""
    return Project.copied(of_table.folder, tmp_path_factory.mktemp("display") / "project")


def files(project):
    """Every file of a run, and when it changed."""
    tops = ("data", "build", "results", "logs", "benchmarks")
    paths = [path for top in tops for path in (project.folder / top).rglob("*")]
    return {str(path): path.stat().st_mtime_ns for path in paths}


def row(text, stage):
    """The cells of a stage in the table of a dry run."""
    return re.search(rf"^{re.escape(stage)} +(.*)$", text, re.M)[1].split()


def test_a_finished_run_has_nothing_to_do_and_changes_no_file(project):
    project.command("run", "-n")
    before = files(project)
    run = project.command("run", "-n")
    assert run.code == 0 and "Nothing to be done" in run.text and len(run.text.splitlines()) <= 3
    assert files(project) == before


def test_a_dry_run_from_nothing_is_a_short_table(project, tmp_path):
    for name in ("movies.csv", "config.yaml"):
        shutil.copy(project.folder / name, tmp_path)
    planned = project.command("run", "-n", "--directory", str(tmp_path))
    assert planned.code == 0 and len(planned.text.splitlines()) <= 40
    movies, jobs, *_ = row(planned.text, "features of trailers")
    assert int(movies) >= 10 and int(jobs) == 4
    assert row(planned.text, "clips")[2:] == ["not", "made", "yet"]
    assert not BLOCK.search(planned.text)
    listed = project.command("run", "-n", "--verbose", "--directory", str(tmp_path), "clips")
    assert BLOCK.search(listed.text) and "rule detect_clips:" in listed.text


def test_the_plan_of_a_changed_backbone_names_the_setting(project):
    project.config["backbones"][IMAGE]["image_frames"] = 2
    text = project.command("run", "-n", "features").text
    assert "changed settings (image_frames)" in text and "training" not in text
    assert row(text, "ledger")[-3:] == ["an", "earlier", "job"]
    del project.config["backbones"][IMAGE]["image_frames"]


def test_a_new_movie_is_planned_shown_and_what_was_done_is_checked(project):
    """Its trailer is broken, so no feature is computed."""
    (project.folder / "bad.mp4").write_text("no video")
    table = project.folder / "movies.csv"
    rows = read_csv(table)
    broken = {"mid": "tt7654321", "title": "Broken Promises", "poster_url": ""}
    url = next(name for name in rows[0] if name.startswith("trailer_url"))
    write_csv(table, list(rows[0]), [*rows, rows[0] | broken | {url: "bad.mp4"}])
    text = project.command("run", "-n", "features").text
    assert row(text, "trailers")[1:] == ["1", "new", "movies:", "1"]
    assert "may find nothing to do" in text
    run = project.command("run", "features", "--cores", "2")
    assert run.code == 0, run.text[-3000:]
    assert not BLOCK.search(run.text) and len(run.text.splitlines()) < 25
    assert "failed: trailers: Broken Promises (tt7654321): not_video: " in run.text
    (log,) = re.findall(r"Snakemake's log: (\S+)", run.text)
    assert "rule detect_clips:" in (project.folder / log).read_text()
    numbers = re.search(r"^clips: (\d+) of (\d+) movies, 1 skipped, (\d+) checked$", run.text, re.M)
    done, movies, checked = map(int, numbers.groups())
    assert done == checked == movies - 1 > 0


def test_a_failed_job_is_one_line_with_its_reason_and_log(project):
    merged = project.folder / "data" / "clips.csv"
    merged.unlink()
    merged.mkdir()
    (merged / "x").touch()
    run = project.command("run", "clips", *AGAIN, "--cores", "2", "--quiet")
    assert run.code == 1
    lines = run.text.splitlines()
    failed = [line for line in lines if line.startswith("failed: clips: ")]
    assert len(failed) == 1 and "data/clips.csv" in failed[0]
    assert "log: logs/merge_clips.log" in failed[0] and "Traceback" not in run.text
    assert lines[-1].startswith("error: some jobs failed")
    shutil.rmtree(merged)


def test_bars_on_a_terminal(project):
    environment = os.environ | {"PYTHONPATH": str(project.folder), "TERM": "xterm-256color"}
    environment |= {"COLUMNS": "120", "LINES": "40"}
    ours, theirs = pty.openpty()
    command = [COMMAND, "run", "clips", *AGAIN, "--cores", "2"]
    running = subprocess.Popen(
        command, cwd=project.folder, env=environment, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    text = b""
    try:
        while part := os.read(ours, 65536):
            text += part
    except OSError:  # the end of a terminal
        pass
    assert running.wait() == 0
    assert re.search(r"clips\S* +\S*━{24}", text.decode())
    assert text.count(b"\x1b[?25h") >= text.count(b"\x1b[?25l")
