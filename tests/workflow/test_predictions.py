"""`snakemake predict`: the genres of any trailer, as the evaluation would give them."""

import csv
import json

import pytest

from .conftest import Project
from .web import Web

JOBS = {"fetch_trailer": 1, "predict_trailer": 1}


@pytest.fixture(scope="module")
def project(tmp_path_factory, sample) -> Project:
    """The built sample, copied: predictions are among its results."""
    return Project.copied(sample.folder, tmp_path_factory.mktemp("predictions") / "project")


def predict(project, address, *more):
    return project.run("predict", "--config", f"trailer={address}", *more)


def told(project):
    """The newest prediction."""
    path = max(
        (project.folder / "results" / "predictions").glob("*.json"),
        key=lambda path: path.stat().st_mtime_ns,
    )
    return json.loads(path.read_text()), path.with_suffix(".md").read_text()


def rows(project, name):
    with (project.folder / name).open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_file_gets_what_the_evaluation_gave_it(project):
    scored = rows(project, "results/transfer/val.csv")
    means = {
        run: sum(float(row["uap"]) for row in scored if row["run"] == run)
        for run in ("image", "video")
    }
    best = max(means, key=means.get)
    split = max((row for row in scored if row["run"] == best), key=lambda row: float(row["uap"]))[
        "split"
    ]
    expected = rows(project, f"results/runs/{best}/split{split}/tst.csv")[0]

    run = predict(project, f"build/trailers/{expected['mid']}.mp4")
    assert run.code == 0, run.text[-3000:]
    assert run.jobs == JOBS
    answer, table = told(project)
    assert (answer["run"], answer["split"]) == (best, int(split))
    for genre, probability in answer["genres"].items():
        assert probability == pytest.approx(float(expected[genre]), abs=2e-6)
    assert list(answer["genres"].values()) == sorted(answer["genres"].values(), reverse=True)
    cut = [row for row in rows(project, "data/clips.csv") if row["mid"] == expected["mid"]]
    assert [clip["start"] for clip in answer["clips"]] == [float(row["start"]) for row in cut]
    assert table in run.text and "untrained" in table
    assert "Nothing to be done" in predict(project, f"build/trailers/{expected['mid']}.mp4").text


def test_a_url_gets_the_same_as_its_file(project):
    answer, _ = told(project)
    file = project.folder / answer["trailer"]
    with Web({"a trailer.mp4": file.read_bytes()}) as web:
        web.files["a%20trailer.mp4"] = web.files["a trailer.mp4"]
        run = predict(project, f"{web.url}/good/a%20trailer.mp4?x={{y}}")
        assert run.code == 0, run.text[-3000:]
    other, _ = told(project)
    assert other["trailer"].startswith("http")
    assert other["genres"] == answer["genres"] and other["clips"] == answer["clips"]


def test_what_cannot_be_predicted_ends_in_one_line(project):
    for run, words in (
        (project.run("predict"), "name a trailer: trailers12k predict FILE_OR_URL"),
        (
            predict(project, "none.mp4"),
            "config: trailer: none.mp4 does not exist; allowed: a file or an http(s) URL",
        ),
    ):
        assert run.code != 0
        assert f"error: {words}" in run.text.splitlines()


def test_a_file_that_is_no_video_ends_in_one_line(project):
    run = predict(project, "config.yaml")
    assert run.code != 0
    logs = project.folder / "logs" / "fetch_trailer"
    assert "not_video" in next(logs.glob("config*.log")).read_text().splitlines()[-1]
    assert "error: the prediction failed: " in run.text and "continues the run" not in run.text


def test_other_settings_than_those_of_the_stores_are_refused(project):
    answer, _ = told(project)
    run = predict(project, answer["trailer"], "image_frames=2", "precision=bf16")
    assert run.code != 0
    assert "was computed with another spec than the configuration says" in run.text


def test_nothing_is_trained_for_it(tmp_path):
    project = Project(tmp_path / "new", {})
    (project.folder / "x.mp4").touch()
    run = predict(project, "x.mp4")
    assert run.code != 0
    assert "error: predict: no run is trained yet; run first: trailers12k run evaluate" in run.text
