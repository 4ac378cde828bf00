"""People's decisions about movies take effect. The tests share one project and depend on their
order."""

import csv
import json
import shutil
from collections import Counter

import pytest

from trailers12k.common.movie import shard_of

from .conftest import IMAGE, Project
from .test_reruns import TAIL

COLUMNS = ["mid", "decision", "wrong", "replacement", "sha256", "note", "by", "date"]


def table(project, name):
    with (project.folder / name).open(encoding="utf-8", newline="") as file:
        return {row["mid"]: row for row in csv.DictReader(file)}


def trailers(project):
    folder = project.folder / "build" / "ledger" / "trailers"
    return {
        row["mid"]: row
        for path in folder.glob("*.csv")
        for row in csv.DictReader(path.read_text().splitlines())
    }


def decide(project, *rows):
    with (project.folder / "curation.csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(rows)


def without_attempts(project):
    """The products without the numbers of attempts, which may depend on earlier runs."""
    products = project.products(costs=False)
    lines = [line.split(",") for line in products.pop("data/ledger.csv").decode().splitlines()]
    attempts = lines[0].index("attempts")
    return products | {"ledger": [line[:attempts] + line[attempts + 1 :] for line in lines]}


@pytest.fixture(scope="module")
def project(tmp_path_factory, of_table) -> Project:
    """A copy of the built project with a table, which these tests change."""
    return Project.copied(of_table.folder, tmp_path_factory.mktemp("curated") / "project")


@pytest.fixture(scope="module")
def before(project) -> dict:
    return without_attempts(project)


@pytest.fixture(scope="module")
def chosen(project, before) -> dict[str, str]:
    """Movies with a trailer, two of each shard."""
    good = sorted(mid for mid, row in trailers(project).items() if row["status"] == "ok")
    first, second = ([mid for mid in good if shard_of(mid, 2) == shard] for shard in ("000", "001"))
    return {"rejected": first[0], "accepted": first[1], "replaced": second[0], "copied": second[1]}


@pytest.fixture(scope="module")
def rows(project, chosen) -> list[dict]:
    ledger, movies = trailers(project), table(project, "data/movies.csv")
    # A file of no other movie.
    better = project.folder / "better.mp4"
    shutil.copy(movies[chosen["copied"]]["trailer_url"], better)
    wrong = movies[chosen["replaced"]]["trailer_url"]
    about = {"by": "Ada", "date": "2026-11-25"}
    return [
        about | {"mid": chosen["rejected"], "decision": "reject", "note": "a fan's\nedit"},
        about
        | {"mid": chosen["replaced"], "decision": "wrong_trailer"}
        | {"wrong": wrong, "replacement": str(better)},
        about
        | {"mid": chosen["accepted"], "decision": "accept"}
        | {"sha256": ledger[chosen["accepted"]]["sha256"]},
        {"mid": "tt7654321", "decision": "reject"},
    ]


def test_an_invalid_file_is_refused_in_one_line_before_any_job(project, rows):
    decide(project, *rows, {"mid": rows[0]["mid"], "decision": "accept"})
    run = project.run()
    assert run.code != 0 and not run.jobs
    errors = [line for line in run.text.splitlines() if "error" in line.lower()]
    assert len(errors) == 1 and errors[0].startswith("error: curation.csv, line 7: mid: ")
    assert errors[0].endswith("is already in line 2; allowed: each movie once")
    assert "Traceback" not in run.text


def test_decisions_run_the_jobs_that_they_affect(project, chosen, rows):
    decide(project, *rows)
    planned = project.build("--dry-run")
    run = project.build()
    unused = "warning: curation.csv: 1 decision concerns no movie of the collection: tt7654321\n"
    assert run.text.count(unused) == planned.text.count(unused) == 1
    assert (
        run.jobs
        == planned.jobs
        == Counter(
            list_movies=1,
            download_trailers=2,
            download_posters=1,
            detect_clips=2,
            extract_features=2,
            merge_clips=1,
            merge_store=2,
            merge_ledger=1,
            check_failures=1,
            build_metadata=1,
            make_splits=1,
            plot_splits=1,
            pack_store=2,
            map_features=2,
            flag_trailers=1,
            train_run=6,
            **TAIL,
        )
    )
    # Only the replaced trailer is downloaded and processed.
    for log in ("download_trailers", "detect_clips", "extract_features/all"):
        assert "0 computed, " in project.log(f"{log}/000.log"), log
        assert "1 computed, " in project.log(f"{log}/001.log"), log
    again = project.build().text
    assert "Nothing to be done" in again and again.count(unused) == 1


def test_products_follow_and_record_the_decisions(project, before, chosen, rows):
    movies, ledger = table(project, "data/movies.csv"), trailers(project)
    rejected, replaced, accepted = (chosen[name] for name in ("rejected", "replaced", "accepted"))
    assert rejected not in movies and rejected not in table(project, "data/mtgc.csv")
    assert not (project.folder / "data" / f"{IMAGE}.zarr" / rejected).exists()
    assert movies[replaced]["trailer_url"] == str(project.folder / "better.mp4")
    assert ledger[replaced]["sha256"] == ledger[chosen["copied"]]["sha256"]

    lines = (project.folder / "data" / "ledger.csv").read_text().splitlines()
    assert [line for line in lines if rejected in line] == [
        f"{rejected},curation,skipped,rejected,a fan's edit,,,,"
    ]
    decided = table(project, "data/curation.csv")
    assert {mid: row["verified"] for mid, row in decided.items()} == {
        rejected: "false",
        replaced: "false",
        accepted: "true",
    }
    text = (project.folder / "data" / "metadata.json").read_text(encoding="utf-8")
    entries = {f"tt{e['imdb']['id']}": e for e in json.loads(text)["trailers12k"].values()}
    assert entries[accepted]["curation"] == {
        **{"decision": "accept", "by": "Ada", "date": "2026-11-25", "note": "", "verified": True}
    }
    assert entries[replaced]["sources"]["trailers"] == "curation"
    assert [e["url"] for e in entries[replaced]["youtube"]["trailers"]] == [
        str(project.folder / "better.mp4")
    ]
    assert "rejected" not in project.command("status").text


def test_a_note_reruns_only_the_jobs_that_publish_it(project, chosen, rows):
    now = [row | {"note": "seen"} if row["decision"] == "accept" else row for row in rows]
    decide(project, *now, {"mid": chosen["copied"], "decision": "unsure"})
    planned = project.build("--dry-run")
    assert project.build().jobs == planned.jobs == Counter(build_metadata=1, draw_report=1)
    assert table(project, "data/curation.csv")[chosen["copied"]]["decision"] == "unsure"


def test_removing_the_file_restores_all_products(project, before):
    (project.folder / "curation.csv").unlink()
    run = project.build()
    assert run.jobs["make_splits"] == 1 and run.jobs["render_sample"] == 0
    after = without_attempts(project)
    assert after.keys() == before.keys()
    assert not [name for name in before if before[name] != after[name]]
