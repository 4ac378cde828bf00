"""Splits by year: whole years, in order, near the intended shares."""

import logging

import numpy as np
import pytest

from trailers12k.common.errors import UserError
from trailers12k.splits.by_year import assign_by_year, by_year


def test_whole_years_in_order_near_the_shares():
    random = np.random.default_rng(1)
    years = [str(year) for year in random.integers(1980, 2020, 500)]
    column = by_year(years)
    numbers = np.array(years, int)
    last = [numbers[column == subset].max() for subset in range(3)]
    first = [numbers[column == subset].min() for subset in range(3)]
    assert last[0] < first[1] and last[1] < first[2]
    sizes = np.bincount(column) / len(years)
    # A year holds about 2.5 % of the movies, half of which a boundary may be off.
    assert np.abs(sizes - [0.7, 0.1, 0.2]).max() < 0.04


def test_movies_without_a_year_train_and_are_counted(caplog):
    years = ["", *[str(2000 + number // 2) for number in range(20)], ""]
    with caplog.at_level(logging.WARNING):
        column = by_year(years)
    assert column[0] == column[-1] == 0
    assert "movies without a year, which are training movies: 2" in caplog.text
    assert np.bincount(column).tolist() == [16, 2, 4]


@pytest.mark.parametrize("years", [["2000"] * 20, ["2000", "2001"] * 10, [""] * 20])
def test_too_few_years_are_refused_in_one_line(years):
    with pytest.raises(UserError, match=r"splits: by_year: .* at least 3") as caught:
        by_year(years)
    assert "\n" not in str(caught.value)


def test_one_year_larger_than_a_subset_leaves_no_subset_empty_and_is_reported(caplog):
    years = ["2000"] * 5 + ["2001"] * 90 + ["2002"] * 5
    with caplog.at_level(logging.WARNING):
        column = by_year(years)
    assert np.bincount(column).tolist() == [5, 90, 5]
    assert "movies for validation: 90, intended: 10, since a year" in caplog.text


def test_the_three_splits_are_the_same():
    years = [str(1990 + number) for number in range(20)]
    movies = assign_by_year([f"tt{n:07}" for n in range(20)], np.ones((20, 10), int), years)
    assert movies.columns.shape == (20, 3)
    assert (movies.columns == movies.columns[:, :1]).all()
    assert np.bincount(movies.columns[:, 0]).tolist() == [14, 2, 4]
