"""Splits by year: train on the oldest movies, test on the newest.

Reads and writes nothing but arrays. Must not know files or the configuration.

A forecast is judged on data later than all that its model saw (Hyndman and Athanasopoulos,
Forecasting: Principles and Practice, 3rd edition, 2021, section 5.10). The rolling origins of that
section leave movies after the test years out of a split; here every movie has a subset in each
split, so that all splits are the same.
"""

import logging
from collections.abc import Sequence

import numpy as np

from trailers12k.common.vocabulary import SPLITS, SUBSETS
from trailers12k.splits.assignment import SplitMovies
from trailers12k.splits.stratification import SHARES
from trailers12k.splits.years import check_years

log = logging.getLogger(__name__)


def by_year(years: Sequence[str]) -> np.ndarray:
    """The subset of each movie, (movies,) int64.

    A year is in one subset. The boundaries are those nearest to the paper's shares: test takes the
    newest years, validation the years before them, training all others and the movies without a
    year. Of two boundaries as near, the earlier one is taken. Raises `UserError`.
    """
    check_years(years)
    numbers = np.array([int(year) if year else np.iinfo(np.int64).min for year in years])
    known = np.unique(numbers[numbers > np.iinfo(np.int64).min])
    # Movies before each year that may begin a subset: all but the oldest.
    before = np.array([(numbers < year).sum() for year in known[1:]])
    target = np.cumsum([SHARES[name] for name in SUBSETS])[:-1] * len(years)
    first = int(np.abs(before[:-1] - target[0]).argmin())
    second = first + 1 + int(np.abs(before[first + 1 :] - target[1]).argmin())
    starts = known[1:][[first, second]]
    column: np.ndarray = np.searchsorted(starts, numbers, side="right")
    _report(numbers, known, column)
    return column


def _report(numbers: np.ndarray, known: np.ndarray, column: np.ndarray) -> None:
    unknown = int((~np.isin(numbers, known)).sum())
    why = "a year is not divided" + (", and movies without a year train" if unknown else "")
    for subset, name in enumerate(SUBSETS):
        count = int((column == subset).sum())
        own = known[np.isin(known, numbers[column == subset])]
        log.info("%s: %d movies of %d to %d", name, count, own[0], own[-1])
        intended = SHARES[name] * len(numbers)
        if abs(count - intended) > intended / 2:
            log.warning(
                "splits: by_year: movies for %s: %d, intended: %.0f, since %s",
                name,
                count,
                intended,
                why,
            )
    if unknown:
        log.warning("movies without a year, which are training movies: %d", unknown)


def assign_by_year(mids: Sequence[str], labels: np.ndarray, years: Sequence[str]) -> SplitMovies:
    """Three equal splits by year.

    labels: (movies, genres) of 0 and 1. Raises `UserError`.
    """
    columns = np.column_stack([by_year(years)] * len(SPLITS))
    return SplitMovies(list(mids), labels, columns)
