"""The parts of the report page that need no browser."""

import json

import pandas as pd
import pytest

from trailers12k.report import formatting, pictures, sections


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (41, "41 s"), (425, "7:05 min"), (5400, "1.5 h"), (36e5, "1,000.0 h")],
)
def test_durations_have_a_suitable_unit(seconds, text):
    assert formatting.duration(seconds) == text


def test_data_cannot_end_a_script_element_and_is_unchanged():
    hostile = {"a": "</script><!-- & \u2028"}
    text = str(formatting.json_for_script(hostile))
    assert "<" not in text and "&" not in text and json.loads(text) == hostile
    assert "</script" not in str(formatting.script_for_page('"</script>"')).lower()


def test_links_start_at_the_folder_of_the_page():
    assert formatting.relative_link("results/tables/funnel.csv") == "../tables/funnel.csv"
    assert formatting.relative_link("data/curation.csv") == "../../data/curation.csv"


def test_the_funnel_in_words():
    rows = [
        ("movies", "ok", None, 12_000),
        ("trailers", "failed", "bot_check", 1_500),
        ("trailers", "ok", None, 10_500),
        ("clips", "ok", None, 10_500),
        ("features", "ok", None, 10_500),
        ("evaluated", "ok", None, 2_100),
    ]
    words = pictures.funnel_words(
        pd.DataFrame(rows, columns=["step", "status", "reason", "movies"])
    )
    assert words.startswith("Of 12,000 movies, 10,500 have a complete trailer, 10,500 were cut")
    assert words.endswith("2,100 were evaluated by every run. Lost: 1,500 bot check (trailers).")


@pytest.mark.parametrize(
    ("movies", "title"),
    [
        ("sample", "The built-in sample"),
        (["sample"], "The built-in sample"),
        ("published", "The paper's table, from the authors' features"),
        (["movies.csv", "imdb"], "Trailers of movies.csv, imdb"),
    ],
)
def test_the_title_names_the_sources(movies, title):
    assert sections.title({"movies": movies}) == title


def test_the_number_of_clips_depends_on_the_input_of_stores_not_on_their_names():
    rows = [
        {"store": "covers", "input": "posters", "clips": 999},
        {"store": "posters_in_motion", "input": "frames", "clips": 7},
    ]
    funnel = [{"step": step, "status": "ok", "movies": 3} for step in ("movies", "evaluated")]
    summary = pd.DataFrame([{"run": "a", "uap": 50.0}])
    tables = {"stores": pd.DataFrame(rows), "funnel": pd.DataFrame(funnel), "summary": summary}
    assert ("7", "clips") in sections.tiles(tables)


def test_every_template_counts_in_code_versions():
    files = {f"templates/{path.name}" for path in formatting.TEMPLATES.iterdir()}
    assert files == set(formatting.PACKAGE_FILES)
