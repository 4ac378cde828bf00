import numpy as np
import pytest

from trailers12k.common.vocabulary import GENRES
from trailers12k.movies.sources import sample
from trailers12k.splits.assignment import SplitRequest, assign
from trailers12k.splits.stratification import (
    SHARES,
    UNASSIGNED,
    Constraints,
    make_split,
    make_splits,
)
from trailers12k.splits.subsets import sentences, shortages

COLUMN = np.array([0, 0, 0, 1, 2, 2])
MIDS = [f"tt{n:07}" for n in range(len(COLUMN))]


def lacking(columns, usable):
    return [shortages(column, usable).tolist() for column in columns.T]


def test_no_subset_of_the_sample_has_only_broken_movies():
    broken = list(sample.BROKEN.values())
    mended = 0
    for seed in (2022, *range(7)):
        for count in (10, 11, 12, 13, 14, 16, 18, 20, 27):
            movies = sample.movies(count, seed)
            mids = [movie.mid for movie in movies]
            labels = np.array([[int(g in movie.genres) for g in GENRES] for movie in movies])
            usable = np.array([mid not in broken for mid in mids])
            before = assign(mids, labels, SplitRequest(), seed).columns
            after = assign(mids, labels, SplitRequest(), seed, broken=broken).columns
            assert not np.any(lacking(after, usable)), (seed, count)
            if np.any(lacking(before, usable)):
                mended += 1
    assert mended > 5


@pytest.mark.parametrize("seed", range(5))
def test_movies_are_exchanged_only_where_they_may_be(seed):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, (14, 4))
    usable = np.zeros(14, bool)
    usable[:6] = True
    groups = np.array([0, 1, 2, 3, 4, 5, 6, 6, 7, 7, 8, 9, 10, 11])
    assigned = np.full(14, UNASSIGNED)
    assigned[[0, 10]] = 0
    column = make_split(labels, SHARES, seed, 2, Constraints(assigned, groups, usable))
    assert not shortages(column, usable).any()
    assert column[[0, 10]].tolist() == [0, 0]
    assert column[6] == column[7] and column[8] == column[9]


def test_what_cannot_be_mended_stays_and_is_said():
    labels = np.random.default_rng(0).integers(0, 2, (12, 4))
    mids = [f"tt{n:07}" for n in range(12)]
    usable = np.arange(12) < 3
    columns = make_splits(labels, SHARES, 1, 2, Constraints(usable=usable))
    assert [sum(row) for row in lacking(columns, usable)] == [1, 1, 1]
    assert len(sentences(mids, columns, usable, "features")) == 3


@pytest.mark.parametrize(
    ("usable", "expected"),
    [
        ([1, 1, 1, 1, 1, 1], []),
        (
            [0, 1, 0, 1, 0, 1],
            [
                "split 0: 1 of 3 training movies have a trailer (without: tt0000000, tt0000002), "
                "at least 2 needed"
            ],
        ),
        (
            [1, 1, 1, 0, 0, 0],
            [
                "split 0: 0 of 1 validation movie has a trailer (without: tt0000003), at least 1 "
                "needed",
                "split 0: 0 of 2 test movies have a trailer (without: tt0000004, tt0000005), at "
                "least 1 needed",
            ],
        ),
    ],
)
def test_each_subset_without_enough_movies_has_a_sentence(usable, expected):
    usable = np.array(usable, bool)
    assert sentences(MIDS, COLUMN[:, None], usable, "a trailer") == expected


def test_an_empty_subset_has_a_sentence():
    column = np.array([0, 0, 0, 2, 2, UNASSIGNED])
    found = sentences(MIDS, column[:, None], np.ones(6, bool), "a trailer")
    assert found == ["split 0 has no validation movie"]
