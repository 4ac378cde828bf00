"""Splits by the real rule: those of an earlier file, of groups, and the published ones."""

import csv
import hashlib
import shutil

import pytest

from .conftest import LOCAL, Project
from .test_published import RECORD

GENRES = ("drama", "comedy", "horror", "drama|crime")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return Project(tmp_path_factory.mktemp("splits"), LOCAL)


def split(project, mids):
    """The rows of mtgc.csv for these movies, by mid; and what was logged."""
    lines = [f"{mid},A,2000,{GENRES[n % 4]}" for n, mid in enumerate(mids)]
    (project.folder / "movies.csv").write_text("mid,title,year,genres\n" + "\n".join(lines) + "\n")
    done = project.build("splits")
    assert done.jobs == {"list_movies": 1, "make_splits": 1, "plot_splits": 1, "splits": 1}
    with (project.folder / "data" / "mtgc.csv").open(newline="") as file:
        rows = {row["mid"]: row for row in csv.DictReader(file)}
    return rows, project.log("make_splits.log")


def subsets(row):
    return [row[f"split{number}"] for number in range(3)]


def test_movies_of_an_earlier_file_keep_their_subsets_and_groups_stay_together(project):
    mids = [f"tt{number:07}" for number in range(40)]
    first, _ = split(project, mids)
    shutil.copy(project.folder / "data" / "mtgc.csv", project.folder / "old.csv")
    new = [f"tt{number:07}" for number in range(50, 62)]
    (project.folder / "groups.csv").write_text(
        "mid,group\n" + "".join(f"{mid},sequels\n" for mid in [*new[:3], mids[7]])
    )
    project.config["splits"] |= {"extend": "old.csv", "groups": "groups.csv"}
    rows, log = split(project, [*mids, *new])
    assert "movies that keep their subsets: 40, new: 12, no longer listed: 0" in log
    assert all(subsets(rows[mid]) == subsets(first[mid]) for mid in mids)
    assert all(subsets(rows[mid]) == subsets(first[mids[7]]) for mid in new[:3])


def test_a_fault_in_the_table_of_groups_ends_the_run_before_any_job(project):
    (project.folder / "faulty.csv").write_text("mid;group\ntt0000001;a\n")
    splits = project.config["splits"]
    project.config["splits"] = splits | {"groups": "faulty.csv"}
    run = project.run("splits")
    project.config["splits"] = splits
    assert run.code != 0 and not run.jobs and "Traceback" not in run.text
    assert "error: faulty.csv, line 1: the column 'mid' is missing, since" in run.text


def test_the_published_columns_for_the_movies_at_hand(project):
    table = RECORD / "mtgc.csv"
    with table.open(newline="") as file:
        published = {row["mid"]: row for row in csv.DictReader(file)}
    project.config["splits"] = "published"
    md5 = {"mtgc.csv": hashlib.md5(table.read_bytes()).hexdigest()}
    project.config["published"] |= {"files": str(RECORD), "md5": md5}
    lines = [f"{mid},A,2000,drama" for mid in [*list(published)[:12], "tt0000001"]]
    (project.folder / "movies.csv").write_text("mid,title,year,genres\n" + "\n".join(lines) + "\n")
    project.build("splits")
    assert "12 of 13 movies have a published split" in project.log("make_splits.log")
    with (project.folder / "data" / "mtgc.csv").open(newline="") as file:
        rows = {row["mid"]: row for row in csv.DictReader(file)}
    assert rows.keys() == set(list(published)[:12])
    for mid, row in rows.items():
        assert subsets(row) == subsets(published[mid])
        assert (row["drama"], row["action"]) == ("1", "0"), "the genres are the user's"
