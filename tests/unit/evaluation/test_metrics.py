import numpy as np
import pytest
from sklearn.metrics import auc, precision_recall_curve

from trailers12k.common.vocabulary import GENRES, METRICS
from trailers12k.evaluation.metrics import average_precision, chance, constant, scores, step_scores


def random_labels(movies, seed=0):
    generator = np.random.default_rng(seed)
    labels = (generator.random((movies, 10)) < np.linspace(0.1, 0.5, 10)).astype(np.uint8)
    labels[0] = 1
    return labels


def test_average_precision_equals_a_value_computed_by_hand():
    # Points (recall, precision): (0, 1), (1/2, 1), (1/2, 1/2), (1, 2/3).
    area = 1 / 2 * 1 + 1 / 2 * (1 / 2 + 2 / 3) / 2
    assert average_precision(np.array([1, 0, 1]), np.array([0.9, 0.8, 0.1])) == pytest.approx(area)


@pytest.mark.parametrize("decimals", [1, 8])
def test_average_precision_is_the_area_under_sklearns_curve(decimals):
    generator = np.random.default_rng(1)
    labels = random_labels(200).T
    values = generator.random(labels.shape).round(decimals).astype(np.float32)
    expected = []
    for truth, value in zip(labels, values, strict=True):
        precision, recall, _ = precision_recall_curve(truth, value)
        expected.append(auc(recall, precision))
    np.testing.assert_allclose(average_precision(labels, values), expected, rtol=0, atol=1e-12)


def test_a_row_without_positives_scores_a_half():
    assert average_precision(np.zeros(5), np.arange(5)) == 0.5
    labels = random_labels(50)
    labels[:, 3] = 0
    result = scores(labels, np.random.default_rng(0).random(labels.shape))
    assert result[GENRES[3]] == 0.5
    # A genre's weight is its positives, so the weighted mean is that of the other genres.
    others = [name for name in GENRES if name != GENRES[3]]
    weights = np.delete(labels.sum(0), 3)
    assert result["wap"] == pytest.approx(np.average([result[n] for n in others], weights=weights))


def test_no_positives_at_all():
    result = scores(np.zeros((4, 10)), np.random.default_rng(0).random((4, 10)))
    assert set(result.values()) == {0.5}


def test_perfect_predictions():
    labels = random_labels(30)
    labels[labels.sum(1) == 0, 0] = 1
    assert set(scores(labels, labels * 0.5).values()) == {1.0}


def test_each_metric_is_the_mean_it_is_defined_as():
    labels = random_labels(40)
    values = np.random.default_rng(2).random(labels.shape)
    result = scores(labels, values)
    genres = [result[name] for name in GENRES]
    assert result["map"] == pytest.approx(np.mean(genres))
    assert result["wap"] == pytest.approx(np.average(genres, weights=labels.sum(0)))
    movies = [average_precision(row, value) for row, value in zip(labels, values, strict=True)]
    assert result["sap"] == pytest.approx(np.mean(movies))
    assert result["uap"] == average_precision(labels.ravel(), values.ravel())


def test_a_constant_prediction_scores_half_of_one_plus_the_prevalence():
    labels = random_labels(60)
    result = constant(random_labels(200, seed=1), labels)
    for genre, share in zip(GENRES, labels.mean(0), strict=True):
        assert result[genre] == pytest.approx((1 + share) / 2)


def test_chance_is_the_prevalence_on_many_movies():
    labels = random_labels(3000)
    result = chance(random_labels(3000, seed=1), labels, draws=10)
    for genre, share in zip(GENRES, labels.mean(0), strict=True):
        assert result[genre] == pytest.approx(share, abs=0.03)


def test_chance_orders_genres_by_prevalence_and_the_rest_at_random():
    # Distinct prevalences leave no ties within a movie, so its order is not random.
    train = (np.arange(20)[:, None] < np.arange(5, 15)).astype(int)
    labels = random_labels(40)
    assert chance(train, labels, draws=3)["sap"] == pytest.approx(constant(train, labels)["sap"])
    # Genres of equal prevalence are in random order.
    equal_shares = chance(np.ones((5, 10)), labels, draws=50)
    shuffled = [
        scores(labels, np.random.default_rng(seed).random(labels.shape)) for seed in range(50)
    ]
    for name in METRICS:
        assert equal_shares[name] == pytest.approx(np.mean([s[name] for s in shuffled]), abs=0.03)


def test_chance_is_reproducible_by_its_seed():
    labels = random_labels(20)
    assert chance(labels, labels, draws=3) == chance(labels, labels, draws=3)
    assert chance(labels, labels, draws=3) != chance(labels, labels, draws=3, seed=1)


@pytest.mark.parametrize(
    ("labels", "probabilities", "message"),
    [
        (np.zeros((3, 9)), np.zeros((3, 9)), "expected"),
        (np.zeros((0, 10)), np.zeros((0, 10)), "expected"),
        (np.zeros((3, 10)), np.zeros((4, 10)), "one row per movie"),
        (np.full((3, 10), 2), np.zeros((3, 10)), "neither 0 nor 1"),
        (np.eye(10) * 2, np.zeros((10, 10)), "neither 0 nor 1"),
        (np.zeros((3, 10)), np.full((3, 10), np.nan), "not finite"),
    ],
)
def test_errors(labels, probabilities, message):
    with pytest.raises(ValueError, match=message):
        scores(labels, probabilities)


def test_chance_needs_at_least_one_draw():
    with pytest.raises(ValueError, match="draws=0"):
        chance(np.zeros((3, 10)), np.zeros((3, 10)), draws=0)


def test_step_scores_differ_from_the_trapezoid():
    labels = random_labels(300)
    values = np.random.default_rng(2).random(labels.shape)
    steps, areas = step_scores(labels, values), scores(labels, values)
    assert list(steps) == list(areas)
    # By hand: precision at each positive, in falling order of the scores.
    order = np.argsort(-values[:, 0])
    hits = labels[order, 0]
    by_hand = (hits.cumsum() / np.arange(1, 301))[hits == 1].mean()
    assert steps[GENRES[0]] == pytest.approx(by_hand)
    assert steps["map"] == pytest.approx(np.mean([steps[genre] for genre in GENRES]))
    assert abs(steps["sap"] - areas["sap"]) > 0.005
    labels[:, 3] = 0
    assert step_scores(labels, values)[GENRES[3]] == 0
