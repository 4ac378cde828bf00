"""The built-in sample through the real rules: failures are rows, and the genres can be learned."""

import csv
import json
import subprocess
import sys

import pytest
import yaml

from trailers12k.settings import load

from .conftest import IMAGE, ROOT, VIDEO


def rows(project, name):
    with (project.folder / name).open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_ledger_names_each_broken_movie(sample):
    failed = {
        (row["stage"], row["mid"][-1]): row["reason"]
        for row in rows(sample, "data/ledger.csv")
        if row["status"] == "failed"
    }
    assert failed == {
        ("trailers", "1"): "unavailable",
        ("trailers", "2"): "truncated",
        ("trailers", "3"): "not_video",
        ("posters", "4"): "unavailable",
    }


def test_every_stage_has_a_row_for_every_movie(sample):
    mids = {row["mid"] for row in rows(sample, "data/movies.csv")}
    stages = {}
    for row in rows(sample, "data/ledger.csv"):
        stages.setdefault(row["stage"], set()).add(row["mid"])
    assert set(stages) == {"trailers", "posters", "clips", "sound", IMAGE, VIDEO}
    assert all(there == mids for there in stages.values())
    assert len(mids) == 14


def test_the_clips_can_be_traced_to_the_known_shots(sample):
    truth = {}
    for shard in ("000", "001"):
        for row in rows(sample, f"build/sample/shots/{shard}.csv"):
            truth.setdefault(row["mid"], []).append(float(row["start"]))
    found = {}
    for row in rows(sample, "data/clips.csv"):
        found.setdefault((row["mid"], row["shot"]), float(row["start"]))
    starts = {}
    for (mid, _), start in found.items():
        starts.setdefault(mid, []).append(start)
    hits = sum(
        any(abs(start - true) < 0.1 for start in starts[mid])
        for mid in starts
        for true in truth[mid]
    )
    assert hits / sum(len(truth[mid]) for mid in starts) > 0.8


def test_the_configuration_is_written_beside_the_results(sample):
    written = yaml.safe_load((sample.folder / "results" / "config.yaml").read_text())
    assert written == load(sample.config).for_results()


def test_every_place_with_a_number_says_that_weights_are_untrained(sample):
    results = sample.folder / "results"
    assert "Untrained weights" in (results / "summary.md").read_text()
    for name in ("transfer/val.csv", "transfer/tst.csv", "summary.csv"):
        told = [row for row in rows(sample, f"results/{name}") if row["run"] in ("image", "video")]
        assert told and all("untrained" in row["weights"] for row in told), name
    metrics = json.loads((results / "metrics.json").read_text())
    assert "untrained" in metrics["image"]["weights"]


def test_progress_and_counts_are_told(sample):
    assert "computed, 0 kept" in sample.log("download_trailers/000.log")
    assert "clips of" in sample.log("merge_clips.log")


def test_features_are_the_same_bytes_whoever_else_is_in_the_job(sample, of_table):
    """The table lists the sample's movies without the broken ones, and nothing was shared."""
    mine, other = sample.products(), of_table.products()
    names = [name for name in other if "zarr/tt" in name or name == "data/clips.csv"]
    assert len(names) > 60
    assert [name for name in names if mine[name] != other[name]] == []


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("shard=3", "error: config: shard: unknown key (value 3); did you mean shards? Allowed: "),
        ("movies=none.csv", "error: movies: none.csv does not exist"),
        ("seed=many", "error: config: seed: 'many' has the wrong type"),
    ],
)
def test_a_wrong_configuration_ends_the_run_in_one_line(tmp_path, argument, message):
    snakefile = ["--snakefile", str(ROOT / "Snakefile"), "--directory", str(tmp_path)]
    assert message in error_of([*snakefile, "--config", argument])


@pytest.mark.parametrize("option", [[], ["--configfile", "other.yaml"]])
def test_a_section_that_is_there_twice_ends_the_run_in_one_line(tmp_path, option):
    name = option[-1] if option else "config.yaml"
    (tmp_path / name).write_text("training: {epochs: 1}\nseed: 1\ntraining: {lr: 1}\n")
    snakefile = ["--snakefile", str(ROOT / "Snakefile"), "--directory", str(tmp_path)]
    files = [str(tmp_path / each) if each == name else each for each in option]
    error = error_of([*snakefile, "--dry-run", *files])
    assert f"{name}, line 3: training is in line 1 already" in error


def error_of(arguments: list[str]) -> str:
    """The one line about an error with which Snakemake ends."""
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "1", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    (error,) = [line for line in done.stderr.splitlines() if "error" in line.lower()]
    return error
