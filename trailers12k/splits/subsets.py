"""Subsets of splits of which too few movies can be used, in one sentence each.

Reads and writes nothing but arrays. Must not know why a movie cannot be used.
"""

from collections.abc import Sequence

import numpy as np

from trailers12k.common.vocabulary import SUBSETS

LEAST = (2, 1, 1)
"""Movies that a training needs of each of `SUBSETS`: its layers cannot normalise a single one."""
MOST_NAMED = 3
"""Movies that a sentence names."""


def shortages(column: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """How many usable movies each of `SUBSETS` lacks, (3,) int64.

    column: (movies,) of positions in `SUBSETS`, negative for a movie without a subset. usable:
    (movies,) bool.
    """
    counts = np.bincount(column[usable & (column >= 0)], minlength=len(SUBSETS))
    return np.maximum(0, np.array(LEAST) - counts)


def sentences(
    mids: Sequence[str], columns: np.ndarray, usable: np.ndarray, needed: str
) -> list[str]:
    """One sentence for each subset of a split that has too few usable movies.

    columns: (movies, splits) of positions in `SUBSETS`. usable: (movies,) bool. needed: what the
    other movies lack, such as "features".
    """
    return [
        _sentence(
            split,
            subset,
            [mids[n] for n in np.flatnonzero(column == subset).tolist()],
            lost,
            needed,
        )
        for split, column in enumerate(columns.T)
        for subset in np.flatnonzero(shortages(column, usable)).tolist()
        for lost in [[mids[n] for n in np.flatnonzero((column == subset) & ~usable).tolist()]]
    ]


def _sentence(
    split: int, subset: int, mids: Sequence[str], lost: Sequence[str], needed: str
) -> str:
    name, least = SUBSETS[subset], LEAST[subset]
    if not mids:
        return f"split {split} has no {name} movie"
    more = f" and {len(lost) - MOST_NAMED} more" if len(lost) > MOST_NAMED else ""
    without = f" (without: {', '.join(lost[:MOST_NAMED])}{more})" if lost else ""
    return (
        f"split {split}: {len(mids) - len(lost)} of {len(mids)} {name} "
        f"{'movie has' if len(mids) == 1 else 'movies have'} {needed}{without}, "
        f"at least {least} needed"
    )
