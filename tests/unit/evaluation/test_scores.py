import numpy as np
import pandas as pd
import pytest

from trailers12k.common import vocabulary
from trailers12k.common.errors import UserError
from trailers12k.common.vocabulary import GENRES, METRICS
from trailers12k.evaluation import scores


def test_there_is_a_row_per_run_and_split_and_for_chance(scored):
    assert tuple(scored.columns) == scores.COLUMNS
    assert scored.groupby("run").split.nunique().to_dict() == {
        "ResNet": 3,
        "mine": 3,
        vocabulary.CHANCE: 3,
        vocabulary.CONSTANT: 3,
    }
    mean = scored.groupby("run").uap.mean()
    assert mean["ResNet"] == 1
    assert mean["mine"] == pytest.approx(mean[vocabulary.CHANCE], abs=0.08)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.iloc[1:], "not predicted: tt0000000"),
        (lambda table: table.rename(index={"tt0000001": "tt9999999"}), "not expected: tt9999999"),
        (lambda table: pd.concat([table, table.iloc[:1]]), "tt0000000. is in it twice"),
    ],
)
def test_exactly_the_expected_movies_must_be_predicted(tmp_path, change, message):
    mids = [f"tt{i:07d}" for i in range(10)]
    labels = np.eye(10, dtype=int)
    mtgc = pd.DataFrame(labels, index=pd.Index(mids, name="mid"), columns=list(GENRES))
    mtgc["split0"] = [2] * 8 + [0] * 2
    predictions = (mtgc.loc[mids[:7], list(GENRES)] * 0.5 + 0.1).rename_axis("mid")
    (tmp_path / "run.json").write_text('{"best_epoch": 1}')
    trained = [scores.TrainedSplit("ResNet", 0, tmp_path)]
    stores = {"ResNet": scores.RunStores("words", None, frozenset(mids) - {mids[7]})}
    predictions.to_csv(tmp_path / "tst.csv")
    row = scores.score_runs(mtgc, trained, stores, "test", 0)[-1]
    assert (row.movies, row.of) == (7, 8)
    change(predictions).to_csv(tmp_path / "tst.csv")
    with pytest.raises(UserError, match=message):
        scores.score_runs(mtgc, trained, stores, "test", 0)


def test_genres_without_a_scored_movie_are_listed(tmp_path):
    mids = [f"tt{i:07d}" for i in range(8)]
    mtgc = pd.DataFrame(0, index=pd.Index(mids, name="mid"), columns=list(GENRES))
    mtgc["drama"], mtgc.loc[mids[0], "crime"] = 1, 1
    mtgc["split0"] = [2] * 4 + [0] * 4
    (tmp_path / "run.json").write_text('{"best_epoch": 1}')
    # The only crime movie has no features.
    (mtgc.loc[mids[1:4], list(GENRES)] * 0.5).to_csv(tmp_path / "tst.csv")
    stores = {"ResNet": scores.RunStores("words", None, frozenset(mids[1:]))}
    rows = scores.score_runs(mtgc, [scores.TrainedSplit("ResNet", 0, tmp_path)], stores, "test", 0)
    others = "|".join(genre for genre in GENRES if genre not in ("crime", "drama"))
    with_crime = "|".join(genre for genre in GENRES if genre != "drama")
    assert [row.cells["absent"] for row in rows] == [others, others, with_crime]


def test_options_have_a_row_as_published_and_one_per_variant(options):
    assert tuple(options.columns) == scores.OPTION_COLUMNS
    assert options["option"].tolist() == ["as published", "masked", "sklearn"] * 2
    assert options.groupby("option")["uap"].mean()["masked"] == 1
    assert (options["movies"] == 39).all() and (options["of"] == 40).all()


class CountingMid(str):
    """A mid that counts how often it is compared."""

    comparisons = 0

    def __eq__(self, other):
        CountingMid.comparisons += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


def test_the_check_of_movies_is_linear_in_their_number(tmp_path):
    def comparisons(number):
        CountingMid.comparisons = 0
        mids = [CountingMid(f"tt{i:07d}") for i in range(number)]
        scores.check_movies(tmp_path, mids, {*map(str, mids)})
        return CountingMid.comparisons

    assert comparisons(3_000) <= 20 * max(comparisons(300), 300)


def test_the_columns_are_those_of_the_reference_and_then_ours(options):
    assert scores.COLUMNS[:7] == ("run", "split", "epoch", "uap", "map", "wap", "sap")
    assert scores.COLUMNS[7:17] == GENRES
    assert scores.COLUMNS[17:22] == ("movies", "of", "weights", "pretrained", "absent")
    assert scores.COLUMNS[22:] == ("classifier", "subset")
    assert tuple(options.columns) == ("run", "split", "option", *METRICS, *GENRES, "movies", "of")


def test_untrained_is_what_the_column_says():
    for cell, expected in (("false", True), ("False", True), (False, True), ("true", False)):
        assert scores.is_untrained(cell) is expected
    for cell in ("", None, float("nan"), True):
        assert scores.is_untrained(cell) is False
