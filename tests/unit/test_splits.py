import numpy as np
import pytest

from trailers12k.jobs import UserError
from trailers12k.splits import make_splits, quality, split

SHARES = {"training": 0.7, "validation": 0.1, "test": 0.2}


@pytest.fixture(scope="module")
def labels():
    """1,000 movies whose genres occur together, as those of real movies do."""
    random = np.random.default_rng(0)
    mood = random.normal(size=(1000, 3)) @ random.normal(size=(3, 10))
    labels = (mood + random.normal(size=mood.shape) > 1.5).astype(int)
    labels[labels.sum(1) == 0, 4] = 1
    return labels


def test_the_same_seed_gives_the_same_splits_and_another_gives_others(labels):
    first = make_splits(labels, SHARES, seed=1, tries=2)
    assert (first == make_splits(labels, SHARES, seed=1, tries=2)).all()
    assert (first != make_splits(labels, SHARES, seed=2, tries=2)).any()


def test_splits_are_balanced_better_than_chance_in_labels_and_pairs(labels):
    label, pair = quality(labels, split(labels, SHARES, seed=0, tries=5))
    random = np.random.default_rng(0).permutation(np.repeat([0, 1, 2], [700, 100, 200]))
    chance_label, chance_pair = quality(labels, random)
    assert label < chance_label / 2 and pair < chance_pair / 2


def test_the_three_splits_are_independent(labels):
    columns = make_splits(labels, SHARES, seed=0, tries=1)
    for a, b in ((0, 1), (0, 2), (1, 2)):
        both = ((columns[:, a] == 2) & (columns[:, b] == 2)).sum()
        assert 20 < both < 60  # 40 by chance
    for column in columns.T:
        assert np.abs(np.bincount(column) / 1000 - [0.7, 0.1, 0.2]).max() < 0.02


def test_quality_of_a_split_done_by_hand():
    labels = np.array([[1, 0], [1, 1], [1, 0], [1, 1]])
    # The second genre is half of all, all of the test movies: twice its share.
    label, pair = quality(labels, np.array([0, 1, 0, 2]))
    assert label == 1.0
    assert pair == pytest.approx((1.0 + 0.5 + 0.5) / 2)


def test_too_few_movies_are_refused():
    with pytest.raises(UserError, match="9 movies; at least 10"):
        split(np.ones((9, 10), int), SHARES, 0, 1)


def test_ten_movies_of_one_genre_can_be_split():
    labels = np.zeros((10, 10), int)
    labels[:, 4] = 1
    assert np.bincount(split(labels, SHARES, 0, 1)).tolist() == [7, 1, 2]
