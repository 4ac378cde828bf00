import json

import numpy as np
import pandas as pd
import pytest

from trailers12k.common import vocabulary
from trailers12k.common.errors import UserError
from trailers12k.common.vocabulary import GENRES
from trailers12k.evaluation import scores, summary
from trailers12k.features.backbones.names import is_untrained, pretrained_of
from trailers12k.report import charts as figures
from trailers12k.report import drawing

IMAGE = "trailers_i_resnet_fpc24"
RUNS = {"ResNet": {"image": IMAGE}, "mine": {"image": "other"}}


@pytest.fixture
def scored(tmp_path):
    """tst.csv of two runs on 100 movies: one that knows the labels, one that guesses."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, (100, 10))
    mids = [f"tt{i:07d}" for i in range(100)]
    mtgc = pd.DataFrame(labels, index=pd.Index(mids, name="mid"), columns=list(GENRES))
    for split in range(3):
        mtgc[f"split{split}"] = random.permutation(np.repeat([0, 1, 2], [70, 10, 20]))
    runs = []
    for run, knows in (("ResNet", 1.0), ("mine", 0.0)):
        for split in range(3):
            folder = tmp_path / run / f"split{split}"
            folder.mkdir(parents=True)
            test = mtgc[mtgc[f"split{split}"] == 2]
            guess = knows * test[list(GENRES)] + random.random((len(test), 10)) * 0.5
            guess.to_csv(folder / "tst.csv")
            (folder / "run.json").write_text(json.dumps({"best_epoch": 7}))
            runs.append((run, split, "untrained (random, seed 1)", False, folder))
    present = dict.fromkeys(RUNS, set(mids))
    rows = scores.score_runs(mtgc, runs, subset=2, seed=0, present=present)
    scores.write_scores(tmp_path / "tst.csv", rows)
    return pd.read_csv(tmp_path / "tst.csv")


def test_scores_have_a_row_per_run_and_split_and_chance(scored):
    assert list(scored.columns) == scores.COLUMNS
    assert scored.groupby("run").split.nunique().to_dict() == {
        "ResNet": 3,
        "mine": 3,
        vocabulary.CHANCE: 3,
        vocabulary.CONSTANT: 3,
    }
    mean = scored.groupby("run").uap.mean()
    assert mean["ResNet"] == 1
    assert mean["mine"] == pytest.approx(mean[vocabulary.CHANCE], abs=0.08)


def test_the_table_has_mean_and_sample_deviation_beside_the_papers(scored, tmp_path):
    summary.write_summary(tmp_path, scored, RUNS, ["trailers: 100 ok"])
    table = pd.read_csv(tmp_path / "summary.csv", index_col="run")
    assert table.loc["mine", "uap"] == pytest.approx(
        np.mean(scored[scored.run == "mine"].uap * 100), abs=0.01
    )
    assert table.loc["mine", "uap_sd"] == pytest.approx(
        np.std(scored[scored.run == "mine"].uap * 100, ddof=1), abs=0.01
    )
    text = (tmp_path / "summary.md").read_text()
    row = next(line for line in text.splitlines() if line.startswith("| ResNet"))
    assert "100.00±0.00" in row and "70.92±3.49" in row and "untrained" in row
    assert "Untrained weights" in text and "trailers: 100 ok" in text
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["ResNet"]["uap"] == 100 and "untrained" in metrics["ResNet"]["weights"]


def test_the_papers_figure_is_compared(scored, tmp_path):
    """Off by more than both deviations together, or not."""
    mine = scored.copy()
    of_run = mine.run == "ResNet"
    mine.loc[of_run, "uap"] = [0.70, 0.72, 0.74]  # 72.00±2.00 beside 70.92±3.49
    mine.loc[of_run, "map"] = [0.58, 0.60, 0.62]  # 60.00±2.00 beside 66.16±2.45
    summary.write_summary(tmp_path, mine, RUNS, [])
    row = pd.read_csv(tmp_path / "summary.csv", index_col="run").loc["ResNet"]
    assert (row.uap_minus_paper, row.uap_within) == (1.08, True)
    assert (row.map_minus_paper, row.map_within) == (-6.16, False)
    assert (row.paper_uap, row.paper_uap_sd) == (70.92, 3.49)
    text = (tmp_path / "summary.md").read_text()
    assert "70.92±3.49 (+1.08 =)" in text and "66.16±2.45 (-6.16 ≠)" in text
    assert " of " not in text.splitlines()[6]


def test_how_many_movies_are_missing_stands_in_the_table(scored, tmp_path):
    scored.loc[scored.run == "ResNet", "movies"] = 19
    summary.write_summary(tmp_path, scored, RUNS, [])
    text = (tmp_path / "summary.md").read_text()
    assert "57 of 60" in text and "60 of 60" in text and "test movies" in text
    table = pd.read_csv(tmp_path / "summary.csv", index_col="run")
    assert tuple(table.loc["ResNet", ["movies", "of"]]) == (57, 60)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda table: table.iloc[1:], "not predicted: tt0000000"),
        (lambda table: table.rename(index={"tt0000001": "tt9999999"}), "not expected: tt9999999"),
        (lambda table: pd.concat([table, table.iloc[:1]]), "twice: tt0000000"),
    ],
)
def test_movies_scored_are_the_movies_expected(tmp_path, change, told):
    mids = [f"tt{i:07d}" for i in range(10)]
    labels = np.eye(10, dtype=int)
    mtgc = pd.DataFrame(labels, index=pd.Index(mids, name="mid"), columns=list(GENRES))
    mtgc["split0"] = [2] * 8 + [0] * 2
    predictions = (mtgc.loc[mids[:7], list(GENRES)] * 0.5 + 0.1).rename_axis("mid")
    (tmp_path / "run.json").write_text('{"best_epoch": 1}')
    runs, present = [("ResNet", 0, "words", None, tmp_path)], {"ResNet": {*mids} - {mids[7]}}
    predictions.to_csv(tmp_path / "tst.csv")
    row = scores.score_runs(mtgc, runs, 2, 0, present)[-1]
    assert (row["movies"], row["of"]) == (7, 8)
    change(predictions).to_csv(tmp_path / "tst.csv")
    with pytest.raises(UserError, match=told):
        scores.score_runs(mtgc, runs, 2, 0, present)


def test_a_control_stands_beside_no_figure_of_the_paper(scored, tmp_path):
    runs = {"ResNet": {"image": IMAGE, "shuffle_labels": True}}
    summary.write_summary(tmp_path, scored, runs, [])
    assert "70.92" not in (tmp_path / "summary.md").read_text()


@pytest.mark.parametrize("more", [{"poster": "posters_i_swin"}, {"fusion": "early"}])
def test_a_run_of_another_kind_stands_beside_no_figure_of_the_paper(scored, tmp_path, more):
    summary.write_summary(tmp_path, scored, {"ResNet": {"image": IMAGE} | more}, [])
    assert "70.92" not in (tmp_path / "summary.md").read_text()


def test_other_ways_to_evaluate_stand_below_with_their_difference(scored, tmp_path):
    mids = [f"tt{i:07d}" for i in range(40)]
    random = np.random.default_rng(0)
    labels = (random.random((40, 10)) < 0.3).astype(int)
    mtgc = pd.DataFrame(labels, index=pd.Index(mids, name="mid"), columns=list(GENRES))
    mtgc["split0"] = mtgc["split1"] = 2
    runs = []
    for split in range(2):
        folder = tmp_path / f"split{split}"
        folder.mkdir()
        for name, noise in (("tst", 3.0), ("tst_masked", 0.0)):
            guess = mtgc[list(GENRES)] + noise * random.random((40, 10))
            guess[1:].to_csv(folder / f"{name}.csv")
        runs.append(("ResNet", split, folder))
    rows = scores.score_options(mtgc, runs, ["masked", "sklearn"])
    assert [row["option"] for row in rows] == ["as published", "masked", "sklearn"] * 2
    scores.write_scores(tmp_path / "options.csv", rows)
    options = pd.read_csv(tmp_path / "options.csv")
    assert options.groupby("option")["uap"].mean()["masked"] == 1
    summary.write_summary(tmp_path, scored, RUNS, ["a note"], options)
    text = (tmp_path / "summary.md").read_text()
    table = text.split("## The same trainings, evaluated otherwise")[1]
    assert "a note" not in table and "78 of 80" in table
    line = next(line for line in table.splitlines() if "masked |" in line.replace("  ", ""))
    off = 100 - 100 * options[options.option == "as published"]["uap"].mean()
    assert f"100.00±0.00 ({off:+.2f})" in line
    assert "±" in next(line for line in table.splitlines() if "| sklearn" in line)


def test_the_picture_is_the_same_each_time(scored, tmp_path):
    summary.write_summary(tmp_path, scored, RUNS, [])
    table = pd.read_csv(tmp_path / "summary.csv")
    for name in ("a", "b"):
        drawing.save(figures.results(table), tmp_path / name)
    for end in ("svg", "png"):
        assert (tmp_path / f"a.{end}").read_bytes() == (tmp_path / f"b.{end}").read_bytes()


def test_the_column_pretrained_and_not_a_name_says_that_weights_are_untrained(scored, tmp_path):
    """`untrained_x.pth` is a user's file of trained weights; random weights may have any name."""
    mine = scored.run == "mine"
    scored.loc[mine, ["weights", "pretrained"]] = ["untrained_x.pth", True]
    scored.loc[scored.run == "ResNet", "weights"] = "drawn from the seed"
    summary.write_summary(tmp_path, scored, RUNS, [])
    text = (tmp_path / "summary.md").read_text()
    warning = next(line for line in text.splitlines() if line.startswith("**Untrained weights"))
    assert warning.endswith("** ResNet.")
    table = pd.read_csv(tmp_path / "summary.csv", index_col="run")
    assert table["pretrained"].dropna().to_dict() == {"ResNet": False, "mine": True}
    drawing.save(figures.results(table.reset_index()), tmp_path / "results")
    kinds = {row["run"]: row["what"] for row in _rows(figures.results(table.reset_index()))}
    assert kinds == {"ResNet": figures.WEIGHTS[1], "mine": figures.WEIGHTS[0]}
    tst_kinds = figures.pretrained_of(scored)
    assert is_untrained(tst_kinds["ResNet"]) and not is_untrained(tst_kinds["mine"])


def _rows(chart):
    """The values that a chart draws, without the paper's."""
    rows = []

    def walk(node):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            if key == "values" and isinstance(value, list):
                rows.extend(v for v in value if isinstance(v, dict) and "what" in v)
            elif isinstance(value, dict | list):
                walk(value)

    walk(chart.to_dict())
    return [row for row in rows if row["what"] != "the paper"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [([True, True], True), ([True, False], False), ([None, False], False), ([True, None], None)],
)
def test_a_run_is_pretrained_when_all_its_stores_are(values, expected):
    attributes = [{} if value is None else {"pretrained": value} for value in values]
    assert pretrained_of(attributes) is expected


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
        scores._check_movies(tmp_path, mids, {*map(str, mids)})
        return CountingMid.comparisons

    assert comparisons(3_000) <= 20 * max(comparisons(300), 300)
