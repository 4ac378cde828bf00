"""Leaderboards of collections are joined, and refused where their scores cannot be compared."""

import csv
import io
from pathlib import Path

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


@pytest.mark.parametrize("text", ["\x1b[2J", "a\nb", "\u202ex", "\u200b"])
def test_what_cannot_be_printed_is_refused_with_its_line_and_column(tmp_path, text):
    with pytest.raises(UserError, match="line 2, encoders: .* cannot be printed") as error:
        leaderboards.join([collection(tmp_path / "a", "z", encoders=text)])
    assert str(error.value).isprintable()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("uap", text) for text in ("1_0", "\u0661", "-1", "100.01", "nan", "1e1", "+5", ".5")),
        *(("map_sd", text) for text in ("101", "-0.1")),
        *(("movies", text) for text in ("-1", "1.5", "\u0661", "1e3")),
        *(("seconds_per_movie", text) for text in ("-1", "inf", "1_0")),
    ],
)
def test_strange_numbers_are_refused(tmp_path, name, text):
    with pytest.raises(UserError, match=f"line 2, {name}: .* is no number; allowed: "):
        leaderboards.join([collection(tmp_path / "a", "z", **{name: text})])


def test_numbers_as_the_report_writes_them_are_accepted(tmp_path):
    cells = {"uap": "100.0", "map": "0.0", "map_sd": "33.33", "seconds_per_movie": "1.23e+03"}
    (row,) = leaderboards.join([collection(tmp_path / "a", "z", **cells)])
    assert {name: row[name] for name in cells} == cells


@pytest.mark.parametrize("text", ["=1+1", "+x", "-x", "@x", "'=x"])
def test_formulas_are_escaped_once_and_read_back(tmp_path, text):
    rows = leaderboards.join([collection(tmp_path / "=a", "z", encoders=text)])
    write_text(tmp_path / "joined.csv", leaderboards.as_csv(rows))
    with (tmp_path / "joined.csv").open(newline="") as file:
        (cells,) = csv.DictReader(file)
    assert cells["collection"] == "'=a" and cells["encoders"][0] == "'"
    assert leaderboards.read(tmp_path / "joined.csv").rows[0]["encoders"] == rows[0]["encoders"]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("~~x~~ &lt;", "&#126;&#126;x&#126;&#126; &#38;lt;"),
        ("https://a.org|b", r"` https://a.org\|b `"),
        ("WWW.a.org", "` WWW.a.org `"),
        ("``x`` a@b.org", "``` ``x`` a@b.org ```"),
    ],
)
def test_markdown_has_no_entities_strikes_or_links(tmp_path, text, cell):
    rows = leaderboards.join([collection(tmp_path / "a", "z", encoders=text)])
    assert f" | {cell} | " in leaderboards.as_markdown(rows)


def test_names_of_collections_are_unique_and_no_dots(tmp_path, monkeypatch):
    folders = [collection(tmp_path / name, "z") for name in ("x (2)", "x", "1/x")]
    rows = leaderboards.join(folders)
    assert [row["collection"] for row in rows] == ["x (2)", "x", "x (3)"]
    monkeypatch.chdir(folders[1] / "results")
    assert leaderboards.read(Path("..")).collection == "x"


def test_a_name_of_a_folder_is_printable(tmp_path):
    assert leaderboards.read(collection(tmp_path / "a\x1b[2J", "z")).collection == "a[2J"
