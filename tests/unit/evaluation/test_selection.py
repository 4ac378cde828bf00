"""Nothing is chosen by figures of test movies: whoever tries sees an error."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from trailers12k.common.errors import UserError
from trailers12k.evaluation.probes import Labelled, fit
from trailers12k.evaluation.selection import (
    Figures,
    NotValidation,
    Predictions,
    best,
    choose,
    figures_of,
    predictions_of,
)

ROOT = Path(__file__).parents[3]
RANDOM = np.random.default_rng(0)
LABELS = RANDOM.integers(0, 2, (40, 10))
MIDS = [f"tt{number:07}" for number in range(40)]
PLACES = {mid: (0, 0, 1, 2)[number % 4] for number, mid in enumerate(MIDS)}
SUBSET = ["training", "validation", "test"]


@pytest.fixture(autouse=True)
def one_thread():
    with threadpool_limits(1):
        yield


def movies_of(subset):
    rows = [n for n, mid in enumerate(MIDS) if PLACES[mid] == SUBSET.index(subset)]
    features = LABELS[rows] + RANDOM.normal(size=(len(rows), 10))
    return Labelled([MIDS[n] for n in rows], features, LABELS[rows])


def predicted(subset):
    movies = movies_of(subset)
    return predictions_of(movies.mids, movies.labels, movies.features, PLACES)


def test_test_predictions_choose_no_hyperparameter():
    assert choose([(1, predicted("validation"))]).value == 1
    for subset in ("test", "training"):
        with pytest.raises(NotValidation, match=f"figures of {subset} movies; only figures of val"):
            choose([(1, predicted(subset))])
    with pytest.raises(NotValidation):
        choose([(1, predicted("validation")), (2, predicted("test"))])


@pytest.mark.parametrize("classifier", ["linear", "knn"])
def test_a_classifier_is_not_tuned_on_test_movies(classifier):
    training = movies_of("training")
    fit(classifier, training, movies_of("validation"), PLACES)
    with pytest.raises(NotValidation, match="test movies"):
        fit(classifier, training, movies_of("test"), PLACES)


def test_the_subset_is_that_of_the_split_whatever_the_caller_believes():
    both = [*movies_of("validation").mids, *movies_of("test").mids]
    for mids in (both, ["tt9999999"], []):
        with pytest.raises(ValueError, match="not of one subset"):
            predictions_of(mids, LABELS[: len(mids)], LABELS[: len(mids)], PLACES)


def test_test_figures_choose_no_row():
    rows = [
        {"run": run, "split": split, "uap": uap, "subset": "validation"}
        for run, split, uap in (("a", 0, "0.9"), ("a", 1, "0.1"), ("b", 0, 0.6), ("b", 1, 0.6))
    ]
    assert figures_of(rows).values == {"a": 0.5, "b": 0.6}
    assert best(figures_of(rows)) == "b" and best(figures_of(rows), ["a", "gone"]) == "a"
    with pytest.raises(NotValidation, match="figures of test movies"):
        best(figures_of([row | {"subset": "test"} for row in rows]))
    with pytest.raises(NotValidation, match="figures of test and validation movies"):
        best(figures_of([*rows, rows[0] | {"subset": "test"}]))
    with pytest.raises(UserError, match="earlier version"):
        figures_of([{"run": "a", "uap": "1"}])


def test_equals_are_decided_by_their_order_and_no_value_is_tried_past_patience():
    assert best(Figures("validation", {"a": 1.0, "b": 1.0})) == "a"
    good, bad = (Predictions("validation", LABELS, p) for p in (LABELS, 1 - LABELS))
    tried = iter([(1, bad), (2, good), (3, good), (4, bad), (5, good)])
    choice = choose(tried, patience=2)
    assert choice.value == 2 and list(choice.figures) == [1, 2, 3, 4]
    assert next(tried)[0] == 5
    with pytest.raises(ValueError, match="no value"):
        choose([])


PICKS = {"idxmax", "idxmin", "argmax", "argmin", "nlargest", "nsmallest", "max", "min"}
ORDERS = {"sorted", "sort", "sort_values", "argsort"}
FIGURE = re.compile(r"['\"](uap|map|wap|sap)['\"]|\bMETRICS?\b|\bmetric\b")
NO_CHOICE = {
    "trailers12k/evaluation/leaderboards.py": "orders rows as a reader asks; picks none",
    "trailers12k/evaluation/metrics.py": "computes the metrics",
    "trailers12k/evaluation/selection.py": "refuses all but validation figures",
}


def picks(text):
    """The expressions that pick or order something by a metric."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            is_pick = name in PICKS and (name not in ("max", "min") or node.keywords)
            if (is_pick or name in ORDERS) and FIGURE.search(ast.unparse(node)):
                yield ast.unparse(node)


def test_nothing_else_picks_by_a_metric():
    files = [
        path for folder in ("trailers12k", "scripts") for path in ROOT.glob(f"{folder}/**/*.py")
    ]
    found = {path.relative_to(ROOT).as_posix(): [*picks(path.read_text())] for path in files}
    others = {name: calls for name, calls in found.items() if calls and name not in NO_CHOICE}
    assert len(files) > 300 and not others, "choose by trailers12k.evaluation.selection"


def test_the_search_finds_every_kind_of_choice():
    for text in (
        "runs.loc[runs['map'].idxmax()]",
        "max(rows, key=lambda row: float(row['uap']))",
        "sorted(rows, key=lambda row: row['sap'])[0]",
        "table.sort_values('wap').iloc[-1]",
        "np.argmax(figures['uap'])",
        "max(rows, key=lambda row: row[metric])",
    ):
        assert [*picks(text)], text
    assert not [*picks("max(0, mean - sd)"), *picks("sorted(GENRES)")]
