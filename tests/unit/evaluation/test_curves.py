import csv

import numpy as np
import pandas as pd
import pytest

from trailers12k.common.vocabulary import GENRES
from trailers12k.evaluation import curves
from trailers12k.evaluation.metrics import average_precision
from trailers12k.report import drawing, run_charts

MIDS = [f"tt{i:07d}" for i in range(10)]
LABELS = pd.DataFrame(np.eye(10, dtype=int), index=pd.Index(MIDS, name="mid"), columns=list(GENRES))
"""Ten movies of one genre each, all different."""


def at(precisions, *recalls):
    """The precisions at some recalls, in hundredths."""
    return [pytest.approx(precisions[recall]) for recall in recalls]


@pytest.fixture
def folders(tmp_path):
    """Makes the folders of a run's splits, from tables of predictions and lists of losses."""

    def make(run, predictions, losses=((0.5,),) * 3):
        several = []
        for split, (table, values) in enumerate(zip(predictions, losses, strict=False)):
            folder = tmp_path / run / f"split{split}"
            folder.mkdir(parents=True)
            table.to_csv(folder / "tst.csv")
            lines = [f"{epoch},0.1,{loss},0.001" for epoch, loss in enumerate(values, 1)]
            (folder / "curves.csv").write_text(
                "\n".join(["epoch,train_loss,val_loss,lr", *lines, ""])
            )
            several.append(folder)
        return several

    return make


def test_a_perfect_ranking_has_precision_one_at_every_recall():
    labels = LABELS.to_numpy()
    assert (curves.precision_at_recalls(labels, labels * 0.5) == 1).all()


def test_a_constant_is_a_line_from_one_to_the_share_of_positives():
    labels = LABELS.to_numpy()
    precision = curves.precision_at_recalls(labels, np.full(labels.shape, 0.3))
    np.testing.assert_allclose(precision, np.linspace(1, 0.1, 101))


def test_a_curve_equals_values_computed_by_hand():
    # Points (recall, precision): (0, 1), (1/2, 1), (1/2, 1/2), (1, 2/3), (1, 1/2).
    labels, scores = np.array([1, 0, 1, 0]), np.array([0.9, 0.8, 0.1, 0.05])
    precision = curves.precision_at_recalls(labels, scores)
    assert at(precision, 0, 25, 50, 75, 100) == [1, 1, 1, (1 / 2 + 2 / 3) / 2, 2 / 3]
    # After the vertical fall the line starts at its lower end.
    assert precision[51] == pytest.approx(1 / 2 + 1 / 50 * (2 / 3 - 1 / 2))


def test_a_curve_whose_best_scores_are_wrong():
    # Points (0, 1), (0, 0), (1, 1/2): precision is 1 at recall 0 only.
    precision = curves.precision_at_recalls(np.array([0, 1]), np.array([0.9, 0.8]))
    assert at(precision, 0, 1, 50, 100) == [1, 0.005, 0.25, 0.5]


@pytest.mark.parametrize("positives", [20, 25, 100])
def test_where_recalls_are_hundredths_the_highest_precision_is_taken(positives):
    """Every other ranked pair is right, so n - 1 mistakes precede the n-th hit."""
    labels = np.tile([1, 0], positives)
    precision = curves.precision_at_recalls(labels, -np.arange(len(labels)))
    hits = np.arange(1, positives + 1)
    np.testing.assert_allclose(precision[hits * (100 // positives)], hits / (2 * hits - 1))


@pytest.mark.parametrize("decimals", [1, 8])
def test_the_area_is_nearly_the_average_precision(decimals):
    """Nearly, because the curve may fall between two sampled recalls, most of all near 0."""
    random = np.random.default_rng(0)
    labels = (random.random((300, 10)) < 0.25).astype(int)
    for skill in (0, 0.3, 1):
        scores = (skill * labels + random.random(labels.shape)).round(decimals)
        area = np.trapezoid(curves.precision_at_recalls(labels, scores), curves.RECALLS)
        assert area == pytest.approx(average_precision(labels.ravel(), scores.ravel()), abs=0.006)


def test_a_run_is_the_mean_over_its_splits_in_percent(folders):
    right, constant = LABELS * 0.5, LABELS * 0 + 0.3
    runs = {
        "b": folders("b", [right, right, constant]),
        # Only some movies are predicted, in any order.
        "a": folders("a", [right[::-1], right[3:], right[:2]]),
    }
    table = curves.precision_recall(LABELS, runs)
    assert list(table.columns) == ["b", "a"] and len(table) == 101
    assert (table["a"] == 100).all()
    assert at(table["b"].to_numpy(), 0, 50, 100) == [100, (200 + 55) / 3, 70]


def test_losses_are_the_mean_over_the_splits_that_still_train(folders):
    long, short = [[3, 2, 1], [5], [4, 6]], [[0.5], [0.25], [0.75]]
    runs = {
        "short": folders("short", [LABELS] * 3, short),
        "long": folders("long", [LABELS] * 3, long),
    }
    table = curves.learning(runs)
    assert table["long"].to_dict() == {1: 4, 2: 4, 3: 1}
    assert table["short"].dropna().to_dict() == {1: 0.5}
    assert list(table.columns) == ["short", "long"]


def test_genres_are_means_over_splits_in_percent():
    values = np.linspace(0, 0.9, 10)
    rows = [
        {"run": run, "split": split} | dict(zip(GENRES, values + 0.03 * split, strict=True))
        for run in ("chance", "b", "a")
        for split in range(3)
    ]
    table = curves.genres(pd.DataFrame(rows), ["a", "b"])
    assert list(table.columns) == ["a", "b"] and tuple(table.index) == GENRES
    np.testing.assert_allclose(table["b"], 100 * values + 3)


def test_tables_are_written_with_empty_cells_for_missing_values(folders, tmp_path):
    runs = {
        "long": folders("long", [LABELS] * 3, [[0.3, 0.2]] * 3),
        "short": folders("short", [LABELS] * 3, [[0.5]] * 3),
    }
    curves.write(tmp_path / "learning.csv", curves.learning(runs), 6)
    assert (tmp_path / "learning.csv").read_text() == (
        "epoch,long,short\n1,0.300000,0.500000\n2,0.200000,\n"
    )
    curves.write(tmp_path / "pr.csv", curves.precision_recall(LABELS, runs), 2)
    with (tmp_path / "pr.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["recall"] for row in rows] == [f"{n / 100:.2f}" for n in range(101)]
    assert {row["long"] for row in rows} == {"100.00"}


def test_the_chart_has_the_same_bytes_each_time(folders, tmp_path):
    runs = {run: folders(run, [LABELS] * 3) for run in ("pretrained", "random")}
    tst = pd.DataFrame({"run": [*runs, "chance"], "pretrained": [True, False, None]})
    tables = curves.precision_recall(LABELS, runs), curves.learning(runs)
    for name in ("a", "b"):
        drawing.save(run_charts.curves(*tables, run_charts.pretrained_of(tst)), tmp_path / name)
    for end in ("svg", "png"):
        assert (tmp_path / f"a.{end}").read_bytes() == (tmp_path / f"b.{end}").read_bytes()
    assert "untrained (random) weights" in (tmp_path / "a.svg").read_text()


def test_the_balance_has_a_column_per_split_and_subset():
    shares = {genre: [1 + number, 2.0] for number, genre in enumerate(GENRES)}
    splits = pd.DataFrame({"split": ["split0"] * 2, "subset": ["training", "test"]} | shares)
    table = curves.balance(splits)
    assert list(table.columns) == ["split0 training", "split0 test"]
    assert table.loc[GENRES[3], "split0 training"] == 4 and (table["split0 test"] == 2).all()
