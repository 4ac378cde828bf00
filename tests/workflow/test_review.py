"""`snakemake review`: the folder with the review page of a run."""

import csv
import json
from pathlib import Path

import av
import pytest

from trailers12k.review.flags import NO_SOUND

from ..pages.browser import CHROMIUM, Visit, chromium
from .conftest import Project


@pytest.fixture(scope="module")
def project(tmp_path_factory, sample) -> Project:
    """The built sample, copied."""
    return Project.copied(sample.folder, tmp_path_factory.mktemp("review") / "project")


def movies_js(project) -> dict:
    text = (project.folder / "results/review/movies.js").read_text()
    return json.loads(text.removeprefix("window.TRAILERS12K = ").removesuffix(";\n"))


def rows(project, name):
    with (project.folder / name).open(newline="") as file:
        return list(csv.DictReader(file))


def encode_again(source: Path, target: Path) -> None:
    """A smaller and worse copy, half a second shorter."""
    with av.open(str(source)) as given, av.open(str(target), "w") as made:
        stream = made.add_stream("libx264", rate=24, options={"crf": "32"})
        stream.width, stream.height, stream.pix_fmt = 480, 270, "yuv420p"
        for place, frame in enumerate(given.decode(video=0)):
            if place >= 12:
                pixels = frame.to_ndarray(format="rgb24")
                small = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(480, 270)
                made.mux(stream.encode(small))
        made.mux(stream.encode(None))


def test_every_movie_is_shown_with_its_pictures_or_why_it_was_lost(project):
    run = project.run("review")
    assert run.code == 0, run.text[-3000:]
    assert {"write_review"} <= set(run.jobs) <= {"flag_trailers", "write_review", "review"}
    data = movies_js(project)
    movies = {row[0]: dict(zip(data["columns"], row, strict=True)) for row in data["movies"]}
    trailers = {row["mid"]: row for row in rows(project, "results/tables/trailers.csv")}
    assert movies.keys() == trailers.keys()
    names = list(data["flags"])
    for mid, row in trailers.items():
        flags = {names[flag] for flag, *_ in movies[mid]["flags"]}
        assert ("lost" in flags) == (row["status"] != "ok")
        assert not flags & {"duplicate", "near_duplicate"}
        poster = project.folder / f"build/posters/{mid}.jpg"
        assert bool(movies[mid]["poster"]) == poster.is_file()
        if row["status"] == "ok":
            assert movies[mid]["cell"] > 0
            assert (project.folder / f"results/review/sheets/{mid}.jpg").is_file()
            assert len(movies[mid]["starts"].split()) == int(row["shots"])
            # Every trailer was listened to; one that can be heard has a waveform as long as itself.
            heard = row["sound"] == "ok"
            assert heard or row["sound"] in NO_SOUND
            assert ("no_sound" in flags) != heard
            waveform = project.folder / f"results/review/waveforms/{mid}.png"
            assert waveform.is_file() == heard
            seconds = float(row["duration"]) if heard else 0
            assert movies[mid]["waveform"] == pytest.approx(seconds, abs=0.1)
    assert "Nothing to be done" in project.run("review").text


@pytest.mark.skipif(not CHROMIUM, reason="no chromium here: apt-get install chromium")
def test_what_the_page_exports_takes_effect_in_the_next_run(project):
    first, second = (row for row in rows(project, "data/movies.csv")[:2])
    with chromium() as browser:
        visit = Visit(browser, project.folder / "results/review/index.html")
        visit.page.locator(f"#{first['mid']}").focus()
        visit.page.keyboard.press("r")
        visit.page.locator("#name[open]").wait_for()
        visit.page.keyboard.type("Ada")
        visit.page.keyboard.press("Enter")
        visit.page.locator("#name[open]").wait_for(state="detached")
        visit.page.locator(f"#{second['mid']}").focus()
        visit.page.keyboard.press("a")
        with visit.page.expect_download() as caught:
            visit.page.keyboard.press("e")
        caught.value.save_as(project.folder / "curation.csv")
        assert visit.faults == []
    project.build("metadata")
    decided = {row["mid"]: row for row in rows(project, "data/curation.csv")}
    assert decided[first["mid"]]["decision"] == "reject" and decided[first["mid"]]["by"] == "Ada"
    assert decided[second["mid"]]["verified"] == "true"
    assert first["mid"] not in {row["mid"] for row in rows(project, "data/movies.csv")}
    (project.folder / "curation.csv").unlink()


def test_a_copy_of_another_trailer_is_flagged(tmp_path, of_table):
    project = Project.copied(of_table.folder, tmp_path / "copies")
    table = project.folder / "movies.csv"
    columns, first, *_ = csv.reader(table.read_text().splitlines())
    original = dict(zip(columns, first, strict=True))
    encode_again(Path(original["trailer_url"]), tmp_path / "copy.mp4")
    copy = original | {"mid": "tt8888888", "trailer_url": str(tmp_path / "copy.mp4")}
    with table.open("a", newline="") as file:
        csv.DictWriter(file, columns, lineterminator="\n").writerow(copy)
    run = project.run("review")
    assert run.code == 0, run.text[-3000:]
    flags = rows(project, "results/tables/flags.csv")
    assert {row["mid"] for row in flags if row["flag"] == "near_duplicate"} == {
        original["mid"],
        "tt8888888",
    }


def test_the_authors_features_have_nothing_to_look_at(project, tmp_path):
    folder = str(tmp_path)
    run = project.run("review", "--directory", folder, "--config", "movies=published")
    assert run.code != 0
    words = "error: review: movies: published has features, but no trailers to look at"
    assert words in run.text.splitlines()
