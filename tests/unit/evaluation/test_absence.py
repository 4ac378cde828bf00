"""Sentences about genres that no movie of a subset has."""

from trailers12k.evaluation.absence import absence_sentences


def rows(absent: str, *runs: str) -> list[dict[str, str]]:
    return [{"run": run, "split": "0", "absent": absent} for run in runs]


def test_few_runs_are_named_and_many_are_counted():
    few, many = absence_sentences(
        "test", [*rows("war", "A", "B", "C", "D"), *rows("drama|war", *"EFGHI")]
    )
    assert few.startswith("Test movies of split 0 in A, B, C and D: 1 of 10 genres has")
    assert many.startswith("Test movies of split 0 in E, F, G and 2 other rows: 2 of 10 genres")


def test_runs_that_lack_the_same_genres_are_not_named():
    (sentence,) = absence_sentences("test", rows("war", *"ABCDEFGH"))
    assert sentence.startswith("Test movies of split 0: ")
