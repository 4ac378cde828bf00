"""`snakemake publish`: the folder of a publication, whole or as it was, and a run from it."""

import csv
import subprocess

import pytest

from .conftest import IMAGE, SMALL, VIDEO, Project
from .web import Web

POSTER = "posters_i_small"
RUNS = {
    "all": {"image": IMAGE, "video": VIDEO, "poster": POSTER},
    "control": {"image": IMAGE, "shuffle_labels": True},
}


@pytest.fixture(scope="module")
def project(tmp_path_factory, sample):
    """The tiny sample with posters and a control, published by the target `publish`."""
    project = Project.copied(sample.folder, tmp_path_factory.mktemp("publish") / "project")
    model = {"model": "torchvision/shufflenet_v2_x1_0", "input": "posters"}
    project.config["backbones"][POSTER] = SMALL | model
    project.config["runs"] = RUNS
    run = project.run("publish")
    assert run.code == 0, run.text[-3000:]
    assert run.jobs["train_run"] == 6 and run.jobs["publish_dataset"] == 1
    return project


def test_a_publication_is_made_again_when_it_was_changed(project):
    assert "Nothing to be done" in project.run("publish").text
    folder = project.folder / "publication"
    before = (folder / "SHA256SUMS").read_bytes()
    (folder / "mtgc.csv").unlink()
    assert "publish_dataset" in project.run("publish").jobs
    done = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=folder)
    assert done.returncode == 0 and (folder / "SHA256SUMS").read_bytes() == before
    assert not [*project.folder.glob("*.partial")]


def test_a_stranger_finds_no_fault_in_it(project):
    assert project.command("publish", "--check", "publication").text == "publication: no faults\n"
    more = project.folder / "publication" / "more.txt"
    more.write_text("more")
    found = project.command("publish", "--check", "publication")
    more.unlink()
    assert found.code == 1
    assert found.text == "more.txt: it is not in SHA256SUMS\npublication: 1 fault\n"


def test_a_run_from_the_publication_gives_the_same_table(project, tmp_path):
    again = tmp_path / "again"
    made = project.command("init", str(again), "--publication", "publication")
    assert made.code == 0, made.text
    run = project.run("--directory", str(again), "results/summary.csv")
    assert run.code == 0, run.text[-3000:]
    assert run.jobs["train_run"] == 6 and run.jobs["fetch_store"] == 3
    assert "detect_clips" not in run.jobs
    summary = project.folder / "results" / "summary.csv"
    assert (again / "results" / "summary.csv").read_bytes() == summary.read_bytes()
    with summary.open(newline="") as file:
        rows = {row["run"]: row for row in csv.DictReader(file)}
    # The sample's broken movies have labels and no features.
    assert {*RUNS} <= rows.keys() and int(rows["all"]["movies"]) < int(rows["all"]["of"])
    labels = project.folder / "data" / "mtgc.csv"
    assert (again / "data" / "mtgc.csv").read_bytes() == labels.read_bytes()


def test_a_publication_on_the_web_is_fetched_by_its_sums(project, tmp_path):
    folder = project.folder / "publication"
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    again, targets = tmp_path / "again", ["data/mtgc.csv", f"data/{POSTER}.csv"]
    with Web(files) as web:
        made = project.command("init", str(again), "--publication", f"{web.url}/good/")
        assert made.code == 0, made.text
        run = project.run("--directory", str(again), *targets)
        assert run.code == 0, run.text[-3000:]
        assert run.jobs["fetch_published_sums"] == run.jobs["fetch_store"] == 1
        requests = web.requests.total()
        assert "Nothing to be done" in project.run("--directory", str(again), *targets).text
        assert web.requests.total() == requests
        (again / "data" / f"{POSTER}.csv").unlink()
        web.files[f"{POSTER}.zarr.tar.gz"] = files[f"{IMAGE}.zarr.tar.gz"]
        failed = project.run("--directory", str(again), *targets)
    assert failed.code != 0 and "md5" in failed.text
    store = project.folder / "data" / f"{POSTER}.zarr"
    for mid in (path.name for path in store.iterdir() if path.is_dir()):
        chunk = again / "data" / store.name / mid / "0.0"
        assert chunk.read_bytes() == (store / mid / "0.0").read_bytes()
