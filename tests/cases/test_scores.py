"""Summaries name genres without a movie, and show the paper's figures for its movies only."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trailers12k.common.files import read_csv
from trailers12k.common.vocabulary import CHANCE, CONSTANT, GENRES, PREDICTION_FILES, SPLITS
from trailers12k.evaluation import scores, summary
from trailers12k.evaluation.absence import EXPLANATION
from trailers12k.evaluation.paper import RunStreams
from trailers12k.settings import load
from trailers12k.splits import assignment
from trailers12k.workflow.closing_words import closing_words

TABLE = Path(__file__).parent / "data" / "tables" / "all_drama.csv"
RUN = {"mine": RunStreams(image="trailers_i_resnet_fpc24")}


def evaluate(folder, movies, has_paper=False):
    """Split, score and summarise movies (mid -> genres) whose predictions are random."""
    mids = sorted(movies)
    labels = np.array([[int(genre in movies[mid]) for genre in GENRES] for mid in mids])
    split = assignment.assign(mids, labels, assignment.SplitRequest(tries=2), seed=1)
    mtgc = pd.DataFrame(labels, index=pd.Index(mids, name="mid"), columns=list(GENRES))
    for number, column in enumerate(split.columns.T):
        mtgc[f"split{number}"] = column
    random, trained = np.random.default_rng(0), []
    for number, name in enumerate(SPLITS):
        path = folder / "runs" / f"split{name}"
        path.mkdir(parents=True)
        (path / "run.json").write_text(json.dumps({"best_epoch": 1}))
        for place, file in enumerate(PREDICTION_FILES.values(), start=1):
            of = mtgc.index[mtgc[f"split{number}"] == place]
            guess = pd.DataFrame(random.random((len(of), len(GENRES))), of, list(GENRES))
            guess.to_csv(path / file)
        trained.append(scores.TrainedSplit("mine", number, path))
    stores = {"mine": scores.RunStores("ImageNet", True, frozenset(mids))}
    tables = {}
    for subset, file in PREDICTION_FILES.items():
        path = folder / "results" / "transfer" / file
        scores.write_scores(path, scores.score_runs(mtgc, trained, stores, subset, 0))
        tables[subset] = pd.read_csv(path)
    both = summary.Scores(tables["test"], tables["validation"])
    summary.write_summary(folder / "results", both, RUN if has_paper else {}, [])
    return (folder / "results" / "summary.md").read_text()


def test_genres_that_no_test_movie_has_are_counted_next_to_the_table(tmp_path, monkeypatch):
    movies = {row["mid"]: row["genres"].split("|") for row in read_csv(TABLE)}
    text = evaluate(tmp_path, movies)
    rows = pd.read_csv(tmp_path / "results" / "summary.csv", index_col="run")
    assert rows["map"].to_dict() == {CHANCE: 55, CONSTANT: 55, "mine": 55}
    others = ", ".join(genre for genre in GENRES if genre != "drama")
    sentence = (
        f"movies of splits 0, 1 and 2: 9 of 10 genres have no movie here ({others}) and count 50 % "
        "in mAP."
    )
    for subset in ("Test", "Validation"):
        assert f"- {subset} {sentence}\n" in text
    assert text.index(EXPLANATION) < text.index("sample standard deviation")
    monkeypatch.chdir(tmp_path)
    words = closing_words((), None, load({"movies": "trailers12k"}))
    short = sentence.replace(f" ({others})", "")
    assert f"Test {short}\n" in words and f"Validation {short}\n" in words


def test_nothing_is_said_where_every_genre_has_a_movie(tmp_path, monkeypatch):
    mids = [f"tt{number:07d}" for number in range(200)]
    movies = {mid: [GENRES[number % 10]] for number, mid in enumerate(mids)}
    assert "no movie here" not in evaluate(tmp_path, movies)
    monkeypatch.chdir(tmp_path)
    assert "no movie here" not in closing_words((), None, load({"movies": "trailers12k"}))


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"movies": "sample"}, False),
        ({"movies": ["movies.csv", "search"]}, False),
        ({"movies": ["trailers12k", "movies.csv"]}, False),
        ({"movies": "imdb"}, False),
        ({"movies": "movies.csv", "evaluation": {"paper": True}}, True),
        ({"movies": "published"}, True),
        ({"movies": "published", "evaluation": {"paper": False}}, False),
        ({"movies": "trailers12k"}, True),
        ({"movies": ["trailers12k", "tmdb", "search"]}, True),
    ],
)
def test_the_papers_figures_stand_beside_those_of_its_movies_only(config, expected):
    assert load(config).compares_with_paper == expected


@pytest.mark.parametrize("has_paper", [False, True])
def test_the_summary_has_the_papers_figures_or_no_word_of_them(tmp_path, monkeypatch, has_paper):
    movies = {row["mid"]: row["genres"].split("|") for row in read_csv(TABLE)}
    text = evaluate(tmp_path, movies, has_paper)
    table = (tmp_path / "results" / "summary.csv").read_text()
    assert ("70.92±3.49" in text) == ("paper_uap" in table) == has_paper
    assert ("paper's µAP" in text) == ("ours minus the paper's" in text) == has_paper
    monkeypatch.chdir(tmp_path)
    words = closing_words((), None, load({"movies": "trailers12k"}))
    assert ("next to the paper's" in words) == has_paper
    assert "\nmine " in words and words.count("ImageNet") == 1 and "70.92" not in words
