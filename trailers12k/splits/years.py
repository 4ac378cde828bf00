"""Refuses movies of too few years to split by year.

Reads and writes nothing. Must not import numpy, since Snakemake checks movies while it plans.
"""

from collections.abc import Iterable

from trailers12k.common.errors import UserError
from trailers12k.common.vocabulary import SUBSETS

LEAST_YEARS = len(SUBSETS)


def check_years(years: Iterable[str]) -> None:
    """Raise `UserError` for movies of too few years. years: as in movies.csv, empty if unknown."""
    known = {int(year) for year in years if year}
    if len(known) < LEAST_YEARS:
        raise UserError(
            f"splits: by_year: the movies are of {len(known)} different "
            f"{'year' if len(known) == 1 else 'years'}; allowed: at least {LEAST_YEARS}, one for "
            "each subset"
        )
