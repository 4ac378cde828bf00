"""Duplicates as groups: connected components of the pairs that the review flags."""

import numpy as np
import pytest

from trailers12k.common.errors import UserError
from trailers12k.common.files import read_csv, write_csv
from trailers12k.splits.assignment import SplitRequest, assign
from trailers12k.splits.duplicate_groups import components, group_duplicates, read_pairs

MIDS = [f"tt{number:07}" for number in range(40)]


def flags(folder, *rows):
    path = folder / "flags.csv"
    names = ["mid", "flag", "words", "others"]
    write_csv(path, names, [dict(zip(names, row, strict=True)) for row in rows])
    return path


def table(folder):
    write_csv(folder / "movies.csv", ["mid"], [{"mid": mid} for mid in MIDS])
    return folder / "movies.csv"


def test_components_join_chains_whatever_the_order():
    pairs = [("a", "b"), ("c", "d"), ("b", "c"), ("x", "y")]
    expected = {"a": "a", "b": "a", "c": "a", "d": "a", "x": "x", "y": "x"}
    assert components(pairs) == components(pairs[::-1]) == expected


def test_a_long_chain_is_joined_without_recursion():
    number = 100_000
    pairs = [(f"{n:06}", f"{n + 1:06}") for n in reversed(range(number))]
    assert set(components(pairs).values()) == {"000000"}


def test_only_duplicates_count_once_each_and_removed_movies_not_at_all(tmp_path):
    path = flags(
        tmp_path,
        (MIDS[3], "near_duplicate", "", f"{MIDS[1]}|{MIDS[2]}"),
        (MIDS[1], "near_duplicate", "", MIDS[3]),
        (MIDS[5], "duplicate", "", "tt9999999"),
        (MIDS[6], "title", "", MIDS[7]),
        (MIDS[8], "black", "", ""),
    )
    assert len(read_pairs(path)) == 3
    group_duplicates(tmp_path / "groups.csv", path, table(tmp_path))
    rows = read_csv(tmp_path / "groups.csv", ["mid", "group"])
    assert {row["mid"]: row["group"] for row in rows} == dict.fromkeys(MIDS[1:4], MIDS[1])


def test_one_component_of_most_movies_is_refused_in_one_line(tmp_path):
    path = flags(tmp_path, (MIDS[0], "near_duplicate", "", "|".join(MIDS[1:25])))
    with pytest.raises(UserError, match="25 of 40 movies are duplicates") as caught:
        group_duplicates(tmp_path / "groups.csv", path, table(tmp_path))
    assert "\n" not in str(caught.value) and not (tmp_path / "groups.csv").exists()


def test_a_component_larger_than_validation_and_test_stays_whole(tmp_path):
    path = flags(tmp_path, (MIDS[0], "near_duplicate", "", "|".join(MIDS[1:20])))
    group_duplicates(tmp_path / "groups.csv", path, table(tmp_path))
    labels = np.random.default_rng(0).integers(0, 2, (40, 10))
    movies = assign(MIDS, labels, SplitRequest(groups=tmp_path / "groups.csv"), 1)
    assert (movies.columns[:20] == movies.columns[0]).all()
    assert all(len(set(column)) == 3 for column in movies.columns.T)
