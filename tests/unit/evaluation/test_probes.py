"""The linear probe is scikit-learn's logistic regression; kNN is the weighted share of genres."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from trailers12k.evaluation.probes import (
    STRENGTHS,
    TEMPERATURE,
    Labelled,
    LinearProbe,
    Neighbours,
    fit,
)

COUNT = 150
PLACES = {f"tt{number:07}": (0, 0, 0, 1, 2)[number % 5] for number in range(COUNT)}


@pytest.fixture(autouse=True)
def one_thread():
    with threadpool_limits(1):
        yield


def drawn(seed=0, strength=2.0):
    """Features of 6 columns, of which the genres are noisy linear functions."""
    random = np.random.default_rng(seed)
    features = random.normal(size=(COUNT, 6)).astype(np.float32)
    scores = strength * features @ random.normal(size=(6, 10)) + random.normal(size=(COUNT, 10))
    return features, (scores > 0.5).astype(np.uint8)


def parts(features, labels):
    mids, column = [*PLACES], np.array([*PLACES.values()])
    return [
        Labelled(
            [mids[n] for n in np.flatnonzero(column == k)],
            features[column == k],
            labels[column == k],
        )
        for k in range(3)
    ]


def test_the_path_of_warm_starts_ends_where_scikit_learn_ends_from_zero():
    training, validation, test = parts(*drawn())
    fitted = fit("linear", training, validation, PLACES)
    middle, spread = training.features.mean(0), training.features.std(0)
    model = LogisticRegression(C=fitted.choice.value, tol=1e-8, max_iter=2000)
    for genre in range(10):
        model.fit((training.features - middle) / spread, training.labels[:, genre])
        expected = model.predict_proba((test.features - middle) / spread)[:, 1]
        assert fitted.predict(test.features)[:, genre] == pytest.approx(expected, abs=0.01)
    assert fitted.choice.value in STRENGTHS and not fitted.unconverged


@pytest.mark.parametrize("classifier", ["linear", "knn"])
def test_what_the_features_say_is_found_and_what_they_do_not_is_not(classifier):
    from trailers12k.evaluation.metrics import scores

    for strength, low, high in ((4.0, 0.75, 1.0), (0.0, 0.2, 0.62)):
        training, validation, test = parts(*drawn(1, strength))
        fitted = fit(classifier, training, validation, PLACES)
        assert low < scores(test.labels, fitted.predict(test.features))["uap"] < high


@pytest.mark.parametrize("classifier", ["linear", "knn"])
def test_the_test_movies_change_no_choice_and_genres_of_all_or_none_are_constant(classifier):
    features, labels = drawn()
    labels[:, 0], labels[:, 1] = 0, 1
    training, validation, test = parts(features, labels)
    fitted = fit(classifier, training, validation, PLACES)
    probabilities = fitted.predict(test.features)
    assert (probabilities[:, 0] == 0).all() and probabilities[:, 1] == pytest.approx(1)
    assert np.isfinite(probabilities).all() and probabilities.min() >= 0
    assert len(fitted.choice.figures) > 1
    again = fit(classifier, training, validation, PLACES)
    assert (again.predict(test.features) == probabilities).all()


def test_a_neighbour_counts_by_its_similarity():
    training = np.array([[1, 0], [0, 1], [-1, 0]], np.float32)
    labels = np.eye(3, 10, dtype=np.uint8)
    shares = dict(Neighbours(training, labels).candidates(np.array([[2, 0]], np.float32)))
    assert list(shares) == [1, 2]
    weights = np.exp(np.array([1, 0]) / TEMPERATURE)
    assert shares[1][0, :3] == pytest.approx([1, 0, 0])
    assert shares[2][0, :2] == pytest.approx(weights / weights.sum(), rel=1e-5)


def test_ties_count_together_so_that_the_order_of_movies_does_not_matter():
    random = np.random.default_rng(2)
    features = np.repeat(random.normal(size=(12, 5)), 4, axis=0).astype(np.float32)
    labels = random.integers(0, 2, (48, 10)).astype(np.uint8)
    wanted = random.normal(size=(7, 5)).astype(np.float32)
    order = random.permutation(48)
    one, other = (
        dict(Neighbours(features[rows], labels[rows]).candidates(wanted))
        for rows in (np.arange(48), order)
    )
    for k in one:
        assert one[k] == pytest.approx(other[k], abs=1e-6)
    # The nearest four are copies: with k = 1 each counts a quarter.
    assert set(np.round(one[1] * 4, 3).ravel()) <= {0, 1, 2, 3, 4}


def test_constant_features_and_few_movies_are_no_fault():
    labels = np.array([[1] + 9 * [0], 10 * [0]])
    probe = LinearProbe(np.zeros((2, 3), np.float32), labels)
    values = dict(probe.candidates(np.zeros((1, 3), np.float32)))
    assert all(np.isfinite(each).all() for each in values.values())
    shares = dict(Neighbours(np.zeros((2, 3), np.float32), labels).candidates(np.zeros((1, 3))))
    assert shares[1][0, 0] == 0.5


@pytest.mark.parametrize("classifier", ["linear", "knn"])
@pytest.mark.parametrize("subset", [0, 1, 2])
@pytest.mark.parametrize("value", [3e38, -3e38, 1.0])
def test_one_extreme_movie_leaves_all_predictions_finite(classifier, subset, value):
    features, labels = drawn()
    features *= 1e-3 if abs(value) > 1 else 1e-42  # hardly a deviation, down to denormal ones
    features[subset + 2 if subset else 0] = value
    train, validation, test = parts(features, labels)
    fitted = fit(classifier, train, validation, PLACES)
    for movies in (validation, test):
        probabilities = fitted.predict(movies.features)
        assert np.isfinite(probabilities).all()
        assert (probabilities >= 0).all() and (probabilities <= 1).all()
