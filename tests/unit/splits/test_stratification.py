import numpy as np
import pytest

from trailers12k.common.errors import UserError
from trailers12k.splits.stratification import (
    SHARES,
    UNASSIGNED,
    Constraints,
    deviations,
    make_split,
    make_splits,
)


def test_equal_seeds_give_equal_splits_and_different_seeds_do_not(labels):
    first = make_splits(labels, SHARES, seed=1, tries=2)
    assert (first == make_splits(labels, SHARES, seed=1, tries=2)).all()
    assert (first != make_splits(labels, SHARES, seed=2, tries=2)).any()


def test_labels_and_pairs_deviate_less_than_half_as_much_as_at_random(labels):
    label, pair = deviations(labels, make_split(labels, SHARES, seed=0, tries=5))
    random = np.random.default_rng(0).permutation(np.repeat([0, 1, 2], [700, 100, 200]))
    random_label, random_pair = deviations(labels, random)
    assert label < random_label / 2 and pair < random_pair / 2


def test_the_three_splits_are_independent(labels):
    columns = make_splits(labels, SHARES, seed=0, tries=1)
    for a, b in ((0, 1), (0, 2), (1, 2)):
        both = ((columns[:, a] == 2) & (columns[:, b] == 2)).sum()
        assert 20 < both < 60  # 40 by chance
    for column in columns.T:
        assert np.abs(np.bincount(column) / 1000 - [0.7, 0.1, 0.2]).max() < 0.02


def test_deviations_of_a_small_split_equal_those_computed_by_hand():
    labels = np.array([[1, 0], [1, 1], [1, 0], [1, 1]])
    # Half of all movies have the second genre, and all test movies: twice its share.
    label, pair = deviations(labels, np.array([0, 1, 0, 2]))
    assert label == 1.0
    assert pair == pytest.approx((1.0 + 0.5 + 0.5) / 2)


def test_too_few_movies_are_refused():
    with pytest.raises(UserError, match="9 movies; at least 10"):
        make_split(np.ones((9, 10), int), SHARES, 0, 1)


def test_ten_movies_of_one_genre_can_be_split():
    labels = np.zeros((10, 10), int)
    labels[:, 4] = 1
    assert np.bincount(make_split(labels, SHARES, 0, 1)).tolist() == [7, 1, 2]


def test_movies_of_an_earlier_file_keep_their_subsets(labels):
    old = make_splits(labels[:900], SHARES, seed=0, tries=2)
    assigned = np.concatenate([old, np.full((100, 3), UNASSIGNED)])
    columns = make_splits(labels, SHARES, seed=5, tries=5, constraints=Constraints(assigned))
    assert (columns[:900] == old).all()
    for column in columns.T:
        assert np.abs(np.bincount(column[900:]) / 100 - [0.7, 0.1, 0.2]).max() <= 0.06
        label, pair = deviations(labels, column)
        drawn = np.random.default_rng(0).choice(3, 100, p=[0.7, 0.1, 0.2])
        at_random = deviations(labels, np.concatenate([column[:900], drawn]))
        assert label + 5 * pair < at_random[0] + 5 * at_random[1]


@pytest.mark.parametrize("new", [0, 1, 3, 9])
def test_a_few_new_movies_are_assigned_one_by_one(labels, new):
    old = make_splits(labels[:40], SHARES, seed=0, tries=2)[:, :1]
    assigned = np.concatenate([old, np.full((new, 1), UNASSIGNED)])
    column = make_splits(
        labels[: 40 + new], SHARES, 0, 3, count=1, constraints=Constraints(assigned)
    )[:, 0]
    assert (column[:40] == old[:, 0]).all() and set(column) <= {0, 1, 2}


def test_groups_stay_together_with_and_without_an_earlier_file(labels):
    groups = np.arange(1000) // 4
    columns = make_splits(labels, SHARES, seed=0, tries=3, constraints=Constraints(groups=groups))
    for column in columns.T:
        assert all(len(set(column[groups == group])) == 1 for group in range(250))
        assert np.abs(np.bincount(column) / 1000 - [0.7, 0.1, 0.2]).max() < 0.03
    assigned = columns.copy()
    assigned[1::4] = UNASSIGNED
    again = make_splits(labels, SHARES, seed=9, tries=1, constraints=Constraints(assigned, groups))
    assert (again == columns).all(), "a new sequel joins its group"


def test_groups_that_leave_a_subset_empty_are_refused(labels):
    with pytest.raises(UserError, match="12 movies in 1 groups leave a subset empty"):
        make_split(labels[:12], SHARES, 0, 3, constraints=Constraints(groups=np.zeros(12, int)))


@pytest.mark.parametrize("movies", [10, 11, 25])
def test_rare_and_absent_genres_leave_no_subset_empty(movies):
    labels = np.zeros((movies, 10), int)
    labels[:, 4] = 1
    labels[0, 1] = labels[1, 2] = labels[2, 2] = 1
    for column in make_splits(labels, SHARES, seed=3, tries=5).T:
        sizes = np.bincount(column, minlength=3)
        assert (sizes > 0).all() and np.abs(sizes - movies * np.array([0.7, 0.1, 0.2])).max() < 2
        assert np.isfinite(deviations(labels, column)).all()
