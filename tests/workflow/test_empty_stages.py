"""A stage that leaves no movie ends the run in one line, before later stages make anything."""

import csv
import re

import pytest

from .conftest import IMAGE, LOCAL, TINY, Project
from .web import Web, marked, video

MIDS = [f"tt{number:07}" for number in range(12)]
LATER = {"extract_features", "merge_store", "pack_store", "train_run", "score_runs", "draw_report"}


def project_of(folder, trailers, **config):
    """A project with a movie for each of the trailers."""
    one = {"backbones": {IMAGE: TINY["backbones"][IMAGE]}, "runs": {"image": {"image": IMAGE}}}
    project = Project(folder, TINY | LOCAL | one | config)
    rows = [f"{mid},A,2000,drama,{url}\n" for mid, url in zip(MIDS, trailers, strict=True)]
    (project.folder / "movies.csv").write_text(
        "mid,title,year,genres,trailer_url\n" + "".join(rows)
    )
    return project


def errors(run):
    """The reasons of failed jobs, each once though Snakemake repeats the logs of failed jobs."""
    return {line.partition("ERROR ")[2] for line in re.findall(r"^.* ERROR .*$", run.text, re.M)}


@pytest.mark.parametrize("shards", [1, 2])
def test_no_trailer_can_be_fetched(tmp_path, shards):
    with Web({f"{mid}.mp4": marked(video(2), mid) for mid in MIDS}) as web:
        project = project_of(
            tmp_path / "project",
            [f"{web.url}/status-404/{mid}.mp4" for mid in MIDS],
            shards=shards,
            downloads={
                "local_files": True,
                "private_addresses": True,
                "retries": 0,
                "retry_pause": 3600,
            },
        )
        run = project.run()
        assert run.code != 0 and "Traceback" not in run.text
        (error,) = errors(run)
        assert error.startswith("trailers: no movie is left: 0 ok, 12 failed (unavailable 12)")
        assert "HTTP Error 404" in error and "build/ledger/trailers/" in error
        assert "trailers12k status" in error and "--config retry=all" in error
        # Only Snakemake's names of logs and its last words follow.
        last = [number for number, line in enumerate(run.text.splitlines()) if error in line][-1]
        assert run.text.splitlines()[last] == f"error: {error}"
        assert len(run.text.splitlines()) - last <= 6
        assert run.text.count(f"error: {error}") == 1
        assert not LATER & run.jobs.keys() - {"extract_features"}
        if shards == 1:
            assert not LATER & run.jobs.keys()
        again = project.run()
        assert errors(again) == {error}, "and nothing is fetched again"
        assert not again.jobs["download_trailers"]
        status = project.command("status").text
        assert "failed: unavailable 12" in status

        web.mended = True
        project.build("clips", "--config", "retry=all")
        with (project.folder / "data" / "clips.csv").open(newline="") as file:
            assert {row["mid"] for row in csv.DictReader(file)} == set(MIDS)


def test_every_trailer_is_broken_or_missing(tmp_path):
    project = project_of(tmp_path / "project", [*["broken.mp4"] * 8, *[""] * 4], shards=1)
    (project.folder / "broken.mp4").write_bytes(b"no video" * 1000)
    run = project.run()
    assert run.code != 0 and "Traceback" not in run.text and not LATER & run.jobs.keys()
    (error,) = errors(run)
    assert "trailers: no movie is left: 0 ok, 8 failed" in error
    assert "4 skipped (no_address 4) of 12 movies" in error
    (project.folder / "broken.mp4").write_bytes(video(2))
    project.build("clips", "--config", "retry=all")


def test_a_subset_without_a_movie_is_reported_in_one_line(tmp_path):
    project = project_of(tmp_path / "project", ["good.mp4", "good.mp4", *[""] * 10], shards=1)
    (project.folder / "good.mp4").write_bytes(video(3))
    run = project.run("--retries", "2")
    assert run.jobs["train_run"] >= 1 and "restart" not in run.text, "each has one attempt"
    assert run.code != 0 and "Traceback" not in run.text
    assert not {"score_runs", "draw_report"} & run.jobs.keys()
    (error,) = errors(run)
    assert error.startswith("split ") and error.endswith(
        " more subsets (data/ledger.csv says why); add movies to the table"
    )
    # It was said when the movies were split, too.
    warning = run.text.index("movies have a trailer's address (without: ")
    assert warning < run.text.index(error)
    assert not (project.folder / "results" / "runs").exists() or not list(
        (project.folder / "results" / "runs").rglob("curves.csv")
    )
