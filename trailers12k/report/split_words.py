"""How movies were split, in words.

Reads and writes nothing. Must not know the movies.
"""

from collections.abc import Mapping
from typing import Any

from trailers12k.common.vocabulary import PUBLISHED
from trailers12k.report.numbers import share
from trailers12k.splits.modes import AUTO, BY_YEAR

SPLIT_WORDS = {
    PUBLISHED: f"the authors' own ({PUBLISHED})",
    BY_YEAR: "by year: the oldest movies are training movies, the newest test movies",
}
"""Word of the key `splits` -> what it means."""


def split_words(splits: str | Mapping[str, Any]) -> str:
    """What the key `splits` of a configuration means."""
    if not isinstance(splits, Mapping):
        return SPLIT_WORDS[splits]
    words = (
        f"{share(splits['training'])} training, {share(splits['validation'])} validation, "
        f"{share(splits['test'])} test; the most even of {splits['tries']} tries"
    )
    if splits.get("extend"):
        words += "; movies of an earlier table stay in their subsets"
    if groups := splits.get("groups"):
        kept = "duplicates that the review found are" if groups == AUTO else "groups are"
        words += f"; {kept} kept in one subset"
    return words
