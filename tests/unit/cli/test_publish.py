"""When `publish` refuses, and that it refuses before it writes."""

from pathlib import Path

import pytest

from trailers12k.versions import planned_jobs
from trailers12k.workflow import run_lock


@pytest.fixture
def planned(monkeypatch):
    """What Snakemake would do: a table, or nothing."""
    answers = [""]
    monkeypatch.setattr(planned_jobs, "planned_jobs", lambda *_: answers[-1])
    return answers


def test_an_unfinished_run_is_not_published(collection, call, planned):
    planned.append("train_run 3")
    code, out, err = call("publish")
    assert (code, out) == (2, "") and "the run is not finished" in err
    assert err.count("\n") == 1 and not Path("publication").exists()


def test_a_run_at_work_is_not_published(collection, call, planned):
    run_lock.LOCKS.mkdir(parents=True)
    (run_lock.LOCKS / "0.input.lock").write_text("a\n")
    code, _, err = call("publish")
    assert code == 2 and "Snakemake is running in this folder" in err


def test_missing_products_are_named(collection, call, planned):
    code, _, err = call("publish")
    assert code == 2 and "is missing" in err and "trailers12k run" in err
    assert not [*Path().glob("*.partial")]


def test_the_authors_own_features_are_not_published_again(collection, call, planned):
    Path("config.yaml").write_text("movies: published\nruns: {one: {image: trailers_i_swin_fpc24}}")
    code, _, err = call("publish")
    assert code == 2 and "published already" in err


@pytest.mark.parametrize("to", ["data", "results/page", ".", ".."])
def test_folders_of_runs_are_refused_before_snakemake_is_asked(collection, call, monkeypatch, to):
    monkeypatch.setattr(planned_jobs, "planned_jobs", lambda *_: pytest.fail("asked"))
    code, _, err = call("publish", "--to", to)
    assert code == 2 and err.startswith("error: publish: ") and err.count("\n") == 1
