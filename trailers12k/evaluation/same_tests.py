"""Sentences about splits with the same test movies, for the log of splits and the results table.

Reads and writes nothing but arrays. Must not know how movies are assigned.
"""

import numpy as np

from trailers12k.common.vocabulary import SUBSETS


def same_test_sentences(columns: np.ndarray) -> list[str]:
    """One sentence for all splits that have the same test movies; none where all differ.

    columns: (movies, splits) of positions in `SUBSETS`.
    """
    splits: dict[bytes, list[str]] = {}
    for number, column in enumerate(columns.T):
        splits.setdefault((column == SUBSETS.index("test")).tobytes(), []).append(str(number))
    return [
        f"splits {', '.join(numbers[:-1])} and {numbers[-1]} have the same test movies: the "
        "deviation over splits says nothing about other movies"
        for numbers in splits.values()
        if len(numbers) > 1
    ]
