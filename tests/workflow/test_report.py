"""The report of a real run: its page, its numbers, and Snakemake's own report."""

import csv
import re

import numpy as np
import pytest

from trailers12k.video import contact_sheets

from .conftest import Project


@pytest.fixture(scope="module")
def project(tmp_path_factory, sample) -> Project:
    """The built sample, copied."""
    return Project.copied(sample.folder, tmp_path_factory.mktemp("report") / "project")


def rows(project, name):
    with (project.folder / name).open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_report_is_part_of_the_default_run_and_is_made_once(project):
    text = (project.folder / "results/report/index.html").read_text()
    assert "Untrained weights." in text and "The built-in sample" in text
    for name in re.findall(r'href="(\.\./[^"#]+)"', text):
        assert (project.folder / "results/report" / name).is_file(), name
    for target in ("all", "report"):
        assert "Nothing to be done" in project.build(target).text


def test_every_loss_of_the_ledger_is_in_the_funnel(project):
    funnel = rows(project, "results/tables/funnel.csv")
    lost = {(row["step"], row["reason"]): int(row["movies"]) for row in funnel if row["reason"]}
    ledger = rows(project, "data/ledger.csv")
    failed = [r["reason"] for r in ledger if r["stage"] == "trailers" and r["status"] != "ok"]
    assert failed
    for reason in set(failed):
        assert lost["trailers", reason] == failed.count(reason)
    left = int(funnel[0]["movies"])
    assert left == len(rows(project, "data/movies.csv"))
    for row in funnel[1:]:
        left = int(row["movies"]) if row["status"] == "ok" else left - int(row["movies"])
        assert left >= 0


def test_the_table_of_trailers_agrees_with_the_clips(project):
    trailers = {row["mid"]: row for row in rows(project, "results/tables/trailers.csv")}
    clips = rows(project, "data/clips.csv")
    for mid, row in trailers.items():
        own = [clip for clip in clips if clip["mid"] == mid]
        assert int(row["clips"] or 0) == len(own)
        assert int(row["shots"] or 0) == len({clip["shot"] for clip in own})


def test_costs_count_the_jobs_that_ran(project):
    costs = {row["rule"]: row for row in rows(project, "results/costs.csv")}
    assert int(costs["train_run"]["jobs"]) == 6 and float(costs["train_run"]["seconds"]) > 0
    assert "draw_report" not in costs


def test_the_setting_frames_decides_whether_the_page_has_frames(project):
    page = project.folder / "results/report/index.html"
    project.config["report"] = {"frames": False}
    run = project.build()
    assert set(run.jobs) == {"write_config", "draw_report"}
    assert "data:image/webp" not in page.read_text()
    row = next(row for row in rows(project, "results/tables/trailers.csv") if row["shots"])
    pictures = [np.zeros((90, 160, 3), np.uint8)] * int(row["shots"])
    contact_sheets.write(project.folder / f"build/sheets/{row['mid']}.jpg", pictures)
    project.config["report"] = {"frames": True}
    project.build()
    assert "data:image/webp" in page.read_text()


def test_snakemakes_own_report_has_the_pictures_and_their_captions(project):
    run = project.run("--report", "own.html")
    assert run.code == 0, run.text[-3000:]
    text = (project.folder / "own.html").read_text()
    for name in ("funnel", "results", "splits", "curves", "costs"):
        assert f"results/figures/{name}.png" in text
    assert "with untrained (random) weights are hollow" in text
