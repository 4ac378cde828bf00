"""How movies were split, in words."""

import pytest

from trailers12k.report.split_words import split_words

SHARES = {"training": 0.7, "validation": 0.1, "test": 0.2, "tries": 5}


@pytest.mark.parametrize(
    ("more", "end"),
    [
        ({"groups": None, "extend": None}, "5 tries"),
        ({"groups": "auto"}, "; duplicates that the review found are kept in one subset"),
        ({"groups": "groups.csv"}, "; groups are kept in one subset"),
        ({"extend": "old.csv"}, "; movies of an earlier table stay in their subsets"),
    ],
)
def test_shares_and_what_is_kept(more, end):
    words = split_words(SHARES | more)
    assert "training" in words and words.endswith(end)


def test_words_of_the_key():
    assert "oldest" in split_words("by_year")
    assert "authors" in split_words("published")
