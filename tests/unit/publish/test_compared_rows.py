"""The leaderboard, intervals and tests of a publication that is judged."""

from pathlib import Path

import pytest

from trailers12k.common.files import read_csv
from trailers12k.common.vocabulary import CHANCE, METRICS
from trailers12k.publish.checking import intervals, results
from trailers12k.publish.checking.check import LEADERBOARD
from trailers12k.publish.checking.publication import COMPARISONS, INTERVALS

from .finished import write_results
from .judging import faults_of, sign

SOURCES = {
    LEADERBOARD: "leaderboard.csv",
    INTERVALS: "transfer/intervals.csv",
    COMPARISONS: "transfer/comparisons.csv",
}
FIRST, PAIR = "'tiny', split '0', 'uap'", "'tiny' and 'tiny (kNN)', 'uap'"
DAMAGES = {
    "another figure": (
        LEADERBOARD,
        ("50.0", "51.0"),
        "'tiny' has uap '51.0', and results/summary.csv has '50.0'",
    ),
    "another row": (
        LEADERBOARD,
        ("tiny (kNN)", "other"),
        "'other' is only in one of it and results/summary.csv",
    ),
    "a row twice": (LEADERBOARD, ("tiny (kNN)", "tiny"), "a row is in it twice"),
    "low above high": (
        INTERVALS,
        ("0.400000,0.550000", "0.550000,0.400000"),
        f"{FIRST}: low '0.550000' is above high '0.400000'",
    ),
    "an interval far away": (
        INTERVALS,
        ("0.400000,0.550000", "0.100000,0.200000"),
        f"{FIRST}: estimate '0.500000' is far from '0.100000' to '0.200000'",
    ),
    "one end": (INTERVALS, ("0.400000,0.550000", "0.400000,"), f"{FIRST}: only one end is empty"),
    "no fraction": (
        INTERVALS,
        ("0.400000,0.550000", "-0.400000,0.550000"),
        f"{FIRST}: low is '-0.400000', which is not in 0 to 1",
    ),
    "another estimate": (
        INTERVALS,
        ("0.500000", "0.500100"),
        f"{FIRST}: estimate is '0.500100', and results/test.csv has 0.500000",
    ),
    "another mean": (
        INTERVALS,
        ("all,uap,0.500000", "all,uap,0.500100"),
        "'tiny', split 'all', 'uap': estimate is '0.500100', and results/summary.csv has '50.0'",
    ),
    "another end than in the summary": (
        INTERVALS,
        ("all,uap,0.500000,0.400000", "all,uap,0.500000,0.410000"),
        "'tiny', split 'all', 'uap': low is '0.410000', and results/summary.csv has '40.0'",
    ),
    "an interval too few": (INTERVALS, ("tiny,0,uap", "tiny,1,uap"), f"{FIRST} is not in it"),
    "an interval twice": (INTERVALS, ("tiny,0,uap", "tiny,0,map"), "an interval is in it twice"),
    "a pair too few": (
        COMPARISONS,
        ("tiny,tiny (kNN),uap,0.000000,-0.100000,0.200000,0.400000,0.900000,2\n", ""),
        f"{PAIR}: they are not in it",
    ),
    "a pair twice": (
        COMPARISONS,
        ("(kNN),map", "(kNN),uap"),
        f"{PAIR}: they are in it twice",
    ),
    "a pair of nobody": (
        COMPARISONS,
        ("tiny,", "other,"),
        "'other' and 'tiny (kNN)', 'uap': these are no two rows of results/test.csv",
    ),
    "p above 1": (
        COMPARISONS,
        ("0.900000", "1.900000"),
        f"{PAIR}: p_adjusted is '1.900000', which is not in 0 to 1",
    ),
    "p adjusted downwards": (
        COMPARISONS,
        ("0.900000", "0.300000"),
        f"{PAIR}: p_adjusted '0.300000' is below p '0.400000'",
    ),
    "another difference": (
        COMPARISONS,
        ("uap,0.000000", "uap,0.050000"),
        f"{PAIR}: difference is '0.050000', and results/intervals.csv has 0.000000",
    ),
    "more movies": (COMPARISONS, ("0.900000,2", "0.900000,3"), f"{PAIR}: it has more movies than "
                    "its rows"),
}  # fmt: skip


def fault_of(folder: Path, path: str) -> str:
    """What is wrong with a table of the results in a folder."""
    summary, test, own, board, pairs = (
        read_csv(folder / name)
        for name in ("summary.csv", "transfer/tst.csv", *(SOURCES[n] for n in
                     (INTERVALS, LEADERBOARD, COMPARISONS)))
    )  # fmt: skip
    if path == LEADERBOARD:
        return results.leaderboard_fault(board, summary)
    if path == INTERVALS:
        return intervals.intervals_fault(own, summary, test)
    return intervals.comparisons_fault(pairs, own, test)


@pytest.mark.parametrize("what", DAMAGES)
def test_a_damaged_table_is_one_line(tmp_path, what):
    path, (old, new), fault = DAMAGES[what]
    write_results(tmp_path)
    assert fault_of(tmp_path, path) == ""
    file = tmp_path / SOURCES[path]
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))
    assert fault_of(tmp_path, path) == fault


@pytest.mark.parametrize("value", ["nan", "inf", "1e999", "much"])
@pytest.mark.parametrize("path", [INTERVALS, COMPARISONS])
def test_a_cell_that_is_no_number_is_refused(tmp_path, path, value):
    write_results(tmp_path)
    file = tmp_path / SOURCES[path]
    file.write_text(file.read_text().replace("0.400000", value, 1))
    with pytest.raises(ValueError, match=value.replace("1e999", "no number")):
        fault_of(tmp_path, path)


def test_an_interval_may_be_empty(tmp_path):
    """As that of one test movie."""
    write_results(tmp_path)
    file = tmp_path / SOURCES[INTERVALS]
    file.write_text(file.read_text().replace("0.400000,0.550000", ",", 1))
    assert fault_of(tmp_path, INTERVALS) == ""
    file.write_text(file.read_text().replace("0.400000,0.550000", ","))
    assert "low is '', and results/summary.csv has '40.0'" in fault_of(tmp_path, INTERVALS)


def test_only_the_ends_of_a_difference_may_be_empty(tmp_path):
    """As those of rows that no resample changes."""
    write_results(tmp_path)
    file = tmp_path / SOURCES[COMPARISONS]
    file.write_text(file.read_text().replace("-0.100000,0.200000,0.400000", ",,0.400000"))
    assert fault_of(tmp_path, COMPARISONS) == ""
    whole = file.read_text()
    for figures, name in ((",,,0.900000", "p"), (",,0.400000,", "p_adjusted")):
        file.write_text(whole.replace(",,0.400000,0.900000", figures))
        assert f"{name} is '', which is not in 0 to 1" in fault_of(tmp_path, COMPARISONS)


@pytest.mark.parametrize(("of", "fault"), [("4", ""), ("3", f"{PAIR}: they are not in it")])
def test_two_rows_need_a_test_where_they_must_share_a_movie(of, fault):
    """Two movies each, of four or of three."""
    test = [{"run": run, "split": "0", "movies": "2", "of": of} for run in ("tiny", "tiny (kNN)")]
    assert intervals.comparisons_fault([], [], test) == fault


def test_the_rows_without_predictions_have_no_interval(tmp_path):
    write_results(tmp_path)
    for name in ("summary.csv", "transfer/tst.csv"):
        lines = (tmp_path / name).read_text().splitlines()
        lines.append(lines[-1].replace("tiny (kNN)", CHANCE))
        (tmp_path / name).write_text("\n".join(lines) + "\n")
    assert fault_of(tmp_path, INTERVALS) == fault_of(tmp_path, COMPARISONS) == ""


def test_a_publication_has_the_tables_of_the_run(place):
    """All columns, and an answer to each damage in one line, beside those of sums."""
    for path in (INTERVALS, COMPARISONS):
        own = Path("results", SOURCES[path]).read_bytes()
        assert own.count(b"\n") > len(METRICS) and (place / path).read_bytes() == own
    damages = [DAMAGES[what] for what in ("another figure", "low above high", "a pair too few")]
    for path, (old, new), _ in damages:
        (place / path).write_text((place / path).read_text().replace(old, new, 1))
    sign(place)
    assert faults_of(place).splitlines() == [f"{path}: {fault}" for path, _, fault in damages]
    for path in SOURCES:  # as in a publication of an earlier version
        (place / path).unlink()
    sign(place)
    assert faults_of(place) == ""
