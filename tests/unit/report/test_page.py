"""The parts of the report page that need no browser."""

import json

import pandas as pd
import pytest

from trailers12k.evaluation.selection import NotValidation
from trailers12k.report import (
    charts,
    drawing,
    formatting,
    grid,
    overview,
    pictures,
    results_section,
    sections,
)


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
    assert words == (
        "Of 12,000 movies, 10,500 have a complete trailer and 10,500 have features in the stores "
        "of every run. Lost: 1,500 taken for a bot."
    )


@pytest.mark.parametrize(
    ("movies", "title"),
    [
        ("sample", "The built-in sample"),
        (["sample"], "The built-in sample"),
        ("published", "The paper's table, from the authors' features"),
        (["movies.csv", "imdb"], "Trailers of movies.csv and imdb"),
    ],
)
def test_the_title_names_the_sources(movies, title):
    assert overview.title({"movies": movies}) == title


FUNNEL = [
    ("movies", "ok", None, 50),
    ("curation", "skipped", "rejected", 1),
    ("curation", "ok", None, 49),
    ("trailers", "failed", "private", 2),
    ("trailers", "failed", "removed", 4),
    ("trailers", "skipped", "no_address", 1),
    ("trailers", "ok", None, 42),
    ("clips", "failed", "decode_failed", 2),
    ("clips", "ok", None, 40),
    ("features", "ok", None, 40),
    ("test", "skipped", "in_no_test_subset", 20),
    ("test", "ok", None, 20),
    ("evaluated", "ok", None, 20),
]
SETTINGS = {"movies": "sample", "runs": {"a": {}, "shuffled": {"shuffle_labels": True}}}


def validation(uap: dict[str, float]):
    """Rows of transfer/val.csv."""
    rows = [{"run": run, "split": 0, "uap": value} for run, value in uap.items()]
    return pd.DataFrame(rows).assign(subset="validation")


def run_tables(a: float = 60.0, deviation: float = 2.0, pretrained: str = "true"):
    """The tables of the first screen: runs `a` and `shuffled`, and chance at 30 %."""
    funnel = pd.DataFrame(FUNNEL, columns=["step", "status", "reason", "movies"])
    stores = [
        {"store": "covers", "input": "posters", "clips": 999},
        {"store": "posters_in_motion", "input": "frames", "clips": 7},
    ]
    common = {"splits": 3, "movies": 24, "of": 24, "classifier": "divita"}
    summary = [
        {"run": "chance", "uap": 30.0, "uap_sd": 0.5, "pretrained": None, "classifier": None},
        {"run": "shuffled", "uap": 99.0, "uap_sd": 1.0, "pretrained": "true"},
        {"run": "a", "uap": a, "uap_sd": deviation, "pretrained": pretrained},
    ]
    flags = [("tt1", "lost"), ("tt2", "black"), ("tt2", "frozen"), ("tt3", "black")]
    return {
        "funnel": funnel,
        "stores": pd.DataFrame(stores),
        "summary": pd.DataFrame([common | row for row in summary]),
        "val": validation({"chance": 0.3, "shuffled": 0.9, "a": 0.5}),
        "splits": pd.DataFrame({"split": ["split0", "split1"]}),
        "flags": pd.DataFrame(flags, columns=["mid", "flag"]),
    }


def test_the_first_screen_says_what_was_run():
    # The number of clips depends on the input of stores, not on their names.
    answer, *_ = overview.answers(run_tables(), SETTINGS)
    assert (answer.figure, answer.unit) == ("50", "movies")
    words = [words for words, _ in answer.items]
    assert words == ["42 complete trailers", "7 clips", "2 feature stores", "2 runs on 2 splits"]
    assert answer.sentences == ["Backbone weights: pretrained."]


def test_the_best_run_is_no_control():
    _, answer, _ = overview.answers(run_tables(), SETTINGS)
    assert (answer.figure, answer.spread, answer.unit) == ("60.0", "± 2.0", "% µAP")
    assert answer.sentences == [
        "a, the best on the validation movies, is 30.0 points above chance (30.0\u00a0%).",
        "The control on shuffled labels, shuffled, reaches 99.0\u00a0%.",
        "Only 8 test movies per split: differences of a few points mean little.",
    ]
    assert answer.warning == ""


@pytest.mark.parametrize(
    ("a", "deviation", "words"),
    [
        (31.0, 4.0, "no different from chance (30.0\u00a0%) within the spread of the splits."),
        (20.0, 4.0, "10.0 points below chance (30.0\u00a0%)."),
    ],
)
def test_a_run_near_chance_is_called_so(a, deviation, words):
    _, answer, _ = overview.answers(run_tables(a, deviation), SETTINGS)
    assert answer.sentences[0] == f"a, the best on the validation movies, is {words}"


def test_the_best_run_is_chosen_on_validation_movies_and_baselines_are_no_runs():
    tables = run_tables()
    others = [
        {"run": "lucky", "uap": 90.0, "uap_sd": 1.0, "classifier": "divita"},
        {"run": "a (kNN)", "uap": 50.0, "uap_sd": 1.0, "classifier": "knn"},
        {"run": "a (linear probe)", "uap": 95.0, "uap_sd": 1.0, "classifier": "linear"},
    ]
    more = pd.DataFrame(others).assign(splits=3, movies=24, of=24, pretrained="true")
    tables["summary"] = pd.concat([tables["summary"], more], ignore_index=True)
    scores = {"a": 0.5, "lucky": 0.4, "a (kNN)": 0.7, "a (linear probe)": 0.6, "shuffled": 0.9}
    tables["val"] = validation(scores)
    what, answer, _ = overview.answers(tables, SETTINGS)
    assert answer.figure == "60.0" and answer.sentences[0].startswith("a, the best on the valid")
    assert answer.sentences[2] == "The best baseline there, a (kNN), reaches 50.0\u00a0%."
    assert "3 runs on 2 splits" in [words for words, _ in what.items]
    with pytest.raises(NotValidation):
        overview.answers(tables | {"val": tables["val"].assign(subset="test")}, SETTINGS)


def test_sentences_about_one_of_each_kind_are_singular():
    one = [("movies", "ok", None, 4), ("trailers", "ok", None, 1), ("features", "ok", None, 1)]
    rows = [*one, ("test", "ok", None, 1)]
    funnel = pd.DataFrame(rows, columns=["step", "status", "reason", "movies"])
    assert pictures.funnel_words(funnel) == (
        "Of 4 movies, 1 has a complete trailer, 1 has features in the stores of every run and 1 is "
        "a test movie of at least one split. No movie was lost."
    )
    run = {"run": "a", "pretrained": "false", "movies": 2, "of": 3, "classifier": "divita"}
    summary = pd.DataFrame([run | {"paper_uap": 60.0, "uap_within": False}])
    assert results_section.result_words(summary, {}) == (
        "1 run, trained on every split. The paper reports it. Within both standard deviations "
        "together, our µAP does not agree with the paper's."
    )
    assert results_section.tested_words(summary).startswith(
        "The run was tested on 2 of 3 test movies"
    )
    assert overview.untrained_words(summary).startswith("The only run uses backbones with random")
    measures = [{"measure": name, "movies": 1, "median": 1.0} for name in ("shots", "clips")]
    measures.append({"measure": "duration", "movies": 1, "median": 4.0})
    words = sections.trailer_words(pd.DataFrame(measures))
    assert "has 1 shot, and is cut into 1 clip. These are medians over 1 trailer." in words


def test_untrained_weights_are_named():
    what, answer, _ = overview.answers(run_tables(pretrained="false"), SETTINGS)
    assert answer.warning.startswith("1 of 2 runs uses backbones with random weights.")
    assert what.sentences == ["Backbone weights: random for 1 of 2 runs."]


def test_losses_are_counted_without_those_by_design():
    *_, answer = overview.answers(run_tables(), SETTINGS)
    assert (answer.figure, answer.unit) == ("9", "of 49 movies")
    assert [words for words, _ in answer.items] == [
        *("4 removed", "2 private video", "2 cannot be decoded"),
    ]
    assert all(meaning.endswith(".") for _, meaning in answer.items)
    assert answer.sentences == [
        "1 movie for 1 other reason.",
        "Reviewers rejected 1 more movie.",
        "2 other trailers have a flag and need a look.",
    ]
    tables = run_tables()
    whole = tables["funnel"][tables["funnel"]["status"] == "ok"].assign(movies=50)
    *_, answer = overview.answers(tables | {"funnel": whole}, SETTINGS)
    assert answer.figure == "None" and answer.sentences[0] == "Every movie reached the last stage."


def test_movies_without_sound_are_counted_once_and_lost_only_to_runs_that_hear():
    rows = [("movies", "ok", None, 9), ("trailers", "ok", None, 9)]
    rows += [("features", "failed", "no_sound", 1), ("features", "skipped", "no_sound", 1)]
    funnel = pd.DataFrame(rows, columns=["step", "status", "reason", "movies"])
    flags = [("tt1", "no_sound"), ("tt2", "no_sound"), ("tt2", "black"), ("tt3", "black")]
    tables = run_tables() | {
        "funnel": pd.DataFrame([*rows, ("features", "ok", None, 7)], columns=funnel.columns),
        "flags": pd.DataFrame(flags, columns=["mid", "flag"]),
    }
    runs = {"a": {"image": "i"}, "b": {"audio": "a"}}
    *_, answer = overview.answers(tables, SETTINGS | {"runs": runs})
    assert [words for words, _ in answer.items] == ["2 no sound"]
    assert answer.sentences == [
        "1 other trailer has a flag and needs a look.",
    ]
    assert [row[1:] for row in sections.loss_grid(funnel).rows] == [["features", "2"]]
    labels = [row["label"] for row in drawing.spec(charts.funnel(funnel))["data"]["values"]]
    assert len({*labels}) == len(labels)
    *_, answer = overview.answers(tables, SETTINGS | {"runs": {"b": {"audio": "a"}}})
    assert answer.sentences == ["1 other trailer has a flag and needs a look."]


@pytest.mark.parametrize(
    ("quartiles", "words"),
    [
        ((0, 0, 0, 0, 0), "All are 0\u00a0%."),
        (
            (0, 0, 0, 0, 0.5),
            "0\u00a0%. Half of the values are 0\u00a0%, all are between 0\u00a0% and",
        ),
        ((0, 0.1, 0.2, 0.3, 0.5), "Half of the values lie between 10\u00a0% and 30\u00a0%, all"),
    ],
)
def test_the_spread_of_a_measure_in_words(quartiles, words):
    row = {"measure": "silence"} | dict(zip(pictures.QUANTILES, quartiles, strict=True))
    bins = pd.DataFrame([("silence", 0, 0.01, 9)], columns=["measure", "from", "to", "movies"])
    (picture,) = pictures._histograms(bins, pd.DataFrame([row]))
    assert words in picture.caption
    encoding = drawing.spec(picture.chart)["encoding"]
    assert encoding["x"]["scale"]["domain"] == [0, 0.1]
    assert encoding["y"]["axis"]["format"] == ",d"


def test_a_mistake_shows_genres_and_predictions():
    row = {"run": "a", "mid": "tt1", "title": "Film", "loss": 0.512, "genres": "drama|horror"}
    (run,) = sections.mistakes(pd.DataFrame([row | {"predicted": "drama 0.51|crime 0.05"}]))
    (cells,) = run.grid.rows
    genres = grid.Cell("drama, horror", "predicted: drama 51\u00a0%, crime 5\u00a0%")
    assert cells == [grid.Cell("Film", "tt1"), genres, "0.51"]


def test_every_loss_explains_its_reason():
    rows = sections.loss_grid(run_tables()["funnel"]).rows
    assert len(rows) == 6 and all(row[0].small.endswith(".") for row in rows)


HEARD = pd.DataFrame(
    [
        ("drama|horror", "ok", -14.2, 0.1, 0.4),
        ("drama", "ok", -20.0, 0.3, 0.6),
        ("horror", "no_track", None, None, None),
        ("horror", "video_only", None, None, None),
        ("drama", None, None, None, None),
    ],
    columns=["genres", "sound", "loudness", "silence", "speech"],
)
MEDIANS = pd.DataFrame(
    [("loudness", 2, -17.1), ("silence", 2, 0.2), ("speech", 0, None)],
    columns=["measure", "movies", "median"],
)


def test_the_sound_of_the_trailers_in_words():
    assert sections.sound_words(HEARD, MEDIANS) == (
        "2 trailers of 4 can be heard. Of the others, 1 has no sound track and 1 has none because "
        "the site offered the picture without it. A typical one has a loudness of "
        "−17.1 LUFS and 20\u00a0% of silence."
    )
    assert sections.heard_measures(MEDIANS) == ["loudness", "silence"]
    silent = HEARD.assign(sound=None)
    assert sections.sound_words(silent, MEDIANS) == ""


def test_the_sound_of_the_trailers_by_genre():
    rows = {row[0]: row[1:] for row in sections.sound_grid(HEARD).rows}
    assert rows["drama"] == ["2", "−17.1", "20\u00a0%", "50\u00a0%"]
    assert rows["horror"] == ["1", "−14.2", "10\u00a0%", "40\u00a0%"]
    assert rows["crime"] == ["0", "–", "–", "–"]


@pytest.mark.parametrize(
    ("tested", "words"),
    [
        ((33, 33), " b and c hear the trailers and had 33 of 36 test movies; the others have"),
        ((36, 36), " b and c hear the trailers and had 36 of 36 test movies."),
        ((33, 30), " b and c hear the trailers."),
    ],
)
def test_runs_with_sound_say_how_many_movies_they_had(tested, words):
    settings = {"runs": {"a": {"image": "i"}, "b": {"audio": "a"}, "c": {"audio": "a"}}}
    rows = [
        {"run": run, "pretrained": "true", "movies": movies, "of": 36, "classifier": "divita"}
        for run, movies in zip("abc", (36, *tested), strict=True)
    ]
    assert words in results_section.result_words(pd.DataFrame(rows), settings)
    settings["runs"]["a"]["audio"] = "a"
    assert "hear" not in results_section.result_words(pd.DataFrame(rows), settings)


def test_every_template_counts_in_code_versions():
    files = {f"templates/{path.name}" for path in formatting.TEMPLATES.iterdir()}
    assert files == set(formatting.PACKAGE_FILES)
