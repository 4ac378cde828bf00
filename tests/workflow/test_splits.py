"""Splits by the real rule: those of an earlier file, of groups, and the published ones."""

import csv
import hashlib
import itertools
import json
import shutil

import pandas as pd
import pytest

from trailers12k.evaluation.split_effect import read_effect
from trailers12k.jobs import read_audit
from trailers12k.report import effect_section

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


def test_by_year_the_newest_movies_are_tested_and_the_effect_is_measured(project):
    splits = project.config["splits"]
    project.config["splits"] = "by_year"
    lines = [f"tt{n:07},A,{1990 + n // 2},{GENRES[n % 4]}" for n in range(40)]
    (project.folder / "movies.csv").write_text("mid,title,year,genres\n" + "\n".join(lines) + "\n")
    done = project.build("splits")
    whole = project.run("-n")
    project.config["splits"] = splits
    assert done.jobs == {"list_movies": 1, "split_by_year": 1, "plot_splits": 1, "splits": 1}
    with (project.folder / "data" / "mtgc.csv").open(newline="") as file:
        rows = {row["mid"]: subsets(row) for row in csv.DictReader(file)}
    assert [int(row[0]) for row in rows.values()] == [0] * 28 + [1] * 4 + [2] * 8
    assert all(len({*row}) == 1 for row in rows.values())
    assert whole.jobs["measure_split_effect"] == 1 and not whole.jobs["group_duplicates"]


def test_the_effect_is_measured_on_the_stores_of_a_run(tmp_path, sample):
    project = Project.copied(sample.folder, tmp_path / "project")
    project.config["splits"] = "by_year"
    audit = tmp_path / "audit"
    done = project.build("results/split_effect.csv", env={read_audit.FOLDER: str(audit)})
    assert done.jobs == {"split_by_year": 1, "measure_split_effect": 1}
    reads = [json.loads(path.read_text()) for path in audit.iterdir()]
    assert len(reads) == 2 and not any(read["undeclared"] for read in reads)
    with (project.folder / "results" / "split_effect.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    expected = itertools.product(("image", "video"), ("linear", "knn"), ("standard", "by_year"))
    assert [(row["row"], row["classifier"], row["splits"]) for row in rows] == list(expected)
    assert all(0 < float(row["uap"]) <= 100 and int(row["movies"]) > 0 for row in rows)
    with (project.folder / "data" / "mtgc.csv").open(newline="") as file:
        tested = [row["mid"] for row in csv.DictReader(file) if row["split0"] == "2"]
    assert int(rows[-1]["movies"]) <= 3 * len(tested)
    ordinary = (sample.folder / "data" / "mtgc.csv").read_bytes()
    assert (project.folder / "results" / "standard_splits.csv").read_bytes() == ordinary
    # summary.md and the report show what these two read.
    shown = effect_section.of(pd.read_csv(project.folder / "results" / "split_effect.csv"))
    effect = read_effect(project.folder / "results" / "split_effect.csv")
    assert list(shown["effect_words"]) == list(effect.sentences) and len(effect.rows) == len(rows)
    assert "The three splits by year are the same" in " ".join(effect.sentences)


def test_duplicates_of_the_review_stay_together_and_without_any_nothing_changes(project):
    mids = [f"tt{number:07}" for number in range(40)]
    project.config["splits"] |= {"extend": None, "groups": None}
    ordinary, _ = split(project, mids)
    as_ordinary = (project.folder / "data" / "mtgc.csv").read_bytes()
    project.config["splits"] |= {"groups": "auto"}
    whole = project.run("-n")
    jobs = ("flag_trailers", "group_duplicates", "make_splits", "measure_split_effect")
    assert [whole.jobs[job] for job in jobs] == [1, 1, 1, 1]
    apart = next(mid for mid in mids[1:] if subsets(ordinary[mid]) != subsets(ordinary[mids[0]]))
    flags = project.folder / "results" / "tables" / "flags.csv"
    flags.parent.mkdir(parents=True)
    flags.write_text("mid,flag,words,others\n")
    only = ["data/mtgc.csv", "--allowed-rules", "group_duplicates", "make_splits"]
    project.build(*only)
    assert (project.folder / "data" / "mtgc.csv").read_bytes() == as_ordinary
    flags.write_text(f"mid,flag,words,others\n{mids[0]},near_duplicate,same,{apart}\n")
    done = project.build(*only)
    project.config["splits"] |= {"groups": None}
    assert done.jobs == {"group_duplicates": 1, "make_splits": 1}
    with (project.folder / "data" / "mtgc.csv").open(newline="") as file:
        rows = {row["mid"]: row for row in csv.DictReader(file)}
    assert subsets(rows[mids[0]]) == subsets(rows[apart])


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
