"""Leaderboards of collections are joined, and refused where their scores cannot be compared."""

import csv
import io

import pytest

from trailers12k.common.errors import UserError
from trailers12k.common.files import write_csv, write_text
from trailers12k.evaluation import leaderboards
from trailers12k.evaluation.leaderboards import COLUMNS, SAME


def collection(folder, *names, **cells):
    """A collection with one row for each name."""
    rows = [
        dict.fromkeys(COLUMNS, "")
        | {"row": name, "uap": "50.00", "movies": "9", "of": "9"}
        | dict.fromkeys(SAME, "a")
        | cells
        for name in names
    ]
    (folder / "results").mkdir(parents=True)
    write_csv(folder / "results/leaderboard.csv", COLUMNS, rows)
    return folder


def test_rows_keep_their_order_and_their_collection(tmp_path):
    a = collection(tmp_path / "a", "z", "y", uap="1")
    b = collection(tmp_path / "x/a", "z", uap="2")
    rows = leaderboards.join([a, b / "results/leaderboard.csv"])
    assert [(row["collection"], row["row"]) for row in rows] == [
        ("a", "z"),
        ("a", "y"),
        ("a (2)", "z"),
    ]
    assert [row["row"] for row in leaderboards.ordered(rows)] == ["z", "y", "z"]
    assert leaderboards.ordered(rows, "uap")[0]["collection"] == "a (2)"
    head, *lines = csv.reader(io.StringIO(leaderboards.as_csv(rows)))
    assert head == ["collection", *COLUMNS] and len(lines) == 3


@pytest.mark.parametrize("name", SAME)
def test_other_labels_splits_or_test_movies_are_refused_by_name(tmp_path, name):
    a, b = collection(tmp_path / "a", "z"), collection(tmp_path / "b", "z", **{name: "b"})
    with pytest.raises(UserError, match="cannot be compared") as error:
        leaderboards.join([a, b])
    assert SAME[name] in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("row\nx\n", "is missing"),
        (",".join(COLUMNS) + "\n", "no rows"),
        ("\0" * 50, "NUL"),
        (",".join(COLUMNS) + "\n" + ",".join(["=cmd"] * len(COLUMNS)) + "\n", "no number"),
    ],
)
def test_a_damaged_table_is_refused_in_one_line(tmp_path, text, words):
    write_text(tmp_path / "board.csv", text)
    with pytest.raises(UserError, match=words) as error:
        leaderboards.join([tmp_path / "board.csv"])
    assert "\n" not in str(error.value)


def test_what_is_missing_or_twice_is_named(tmp_path):
    with pytest.raises(UserError, match="name a collection"):
        leaderboards.join([tmp_path])
    with pytest.raises(UserError, match="twice"):
        leaderboards.join([collection(tmp_path / "a", "z", "z")])


def test_markdown_has_no_markup_of_foreign_names(tmp_path):
    rows = leaderboards.join([collection(tmp_path / "a", "<b>|`x`", uap_low="1", uap_high="2")])
    text = leaderboards.as_markdown(rows)
    assert r"\<b>\|\`x\`" in text and r"50.00 \[1, 2]" in text
    assert len(text.splitlines()) == 3
