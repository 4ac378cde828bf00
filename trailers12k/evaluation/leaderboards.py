"""The leaderboard's columns, and tables of several collections joined.

Reads leaderboard.csv of collections and publications. Must not know how a leaderboard is computed.
"""

import csv
import io
import math
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trailers12k.common.bounded_files import quoted, shown_path
from trailers12k.common.errors import UserError
from trailers12k.common.text import escape_formula, is_printable, one_line, unescape_formula
from trailers12k.common.user_table import read_user_table
from trailers12k.common.vocabulary import METRICS, SPLITS, STREAMS

NAME = "leaderboard.csv"
SPREAD = ("sd", "low", "high")
"""After a metric: the deviation over the splits, and the ends of the interval."""
TESTS = tuple(f"test{split}_sha256" for split in SPLITS)
"""Columns with the hash of the test movies of a split."""
SAME = {
    "labels_sha256": "the movies or genres of data/mtgc.csv",
    **{name: f"the test movies of split{split}" for name, split in zip(TESTS, SPLITS, strict=True)},
    "mtgc_sha256": "data/mtgc.csv (its training and validation movies, or its order)",
}
"""Columns that are equal in all rows of a table -> what they are hashes of."""
SCORED = tuple(name for metric in METRICS for name in (metric, *(f"{metric}_{e}" for e in SPREAD)))
COLUMNS = (
    *("row", "classifier", "fusion", "shuffled", *STREAMS, "encoders", "pretrained"),
    *("weights_license", "non_commercial"),
    *("movies", "of", *SCORED, "encoder_parameters", "classifier_parameters"),
    *("seconds_per_movie", "seconds_on", "stores_together"),
    *("workflow", "torch", "torchvision", "timm", "transformers", "code", *SAME),
)
"""Columns of leaderboard.csv."""
COLLECTION = "collection"
"""The first column of a joined table."""
SHOWN = ("row", "classifier", "shuffled", "encoders", "pretrained", "weights_license")
"""Columns of the table in Markdown, before the scores."""
COSTS = ("encoder_parameters", "seconds_per_movie", "seconds_on")
"""Those after the scores."""
MOST_ROWS = 10_000
"""Of one leaderboard. A collection has a few hundred rows at most."""
COUNTED = ("movies", "of", "encoder_parameters", "classifier_parameters")
_SCORE = (re.compile(r"100(\.0{1,20})?|[0-9]{1,2}(\.[0-9]{1,20})?"), "0 to 100")
_COUNT = (re.compile("[0-9]{1,18}"), "a whole number from 0")
_SECONDS = (re.compile(r"[0-9]{1,18}(\.[0-9]{1,20})?(e[+-]?[0-9]{1,2})?"), "a number from 0")
NUMBERS = (
    dict.fromkeys(SCORED, _SCORE) | dict.fromkeys(COUNTED, _COUNT) | {"seconds_per_movie": _SECONDS}
)
"""Column of numbers -> the pattern of its cells, and that pattern in words. Cells may be empty."""
LINK = re.compile(r"://|www\.|mailto:|xmpp:|@", re.IGNORECASE)
"""What makes a link or a mention of a bare text in Markdown."""

Row = dict[str, str]


@dataclass(frozen=True)
class Leaderboard:
    """The rows of one collection. collection: its name in the joined table."""

    collection: str
    path: Path
    rows: Sequence[Row]


def join(places: Sequence[Path]) -> list[Row]:
    """The rows of several leaderboards, in their order, each with the column `collection`.

    places: folders of collections or publications, or files. Two collections of one name are
    numbered. Raises `UserError` where a table is damaged, and where the labels, the splits or the
    test movies of two differ: their scores cannot be compared.
    """
    boards = _named([read(place) for place in places])
    for board in boards[1:]:
        _check_same(boards[0], board)
    return [{COLLECTION: board.collection, **row} for board in boards for row in board.rows]


def read(place: Path) -> Leaderboard:
    """The leaderboard of a folder or file. Raises `UserError`."""
    path = file_of(place)
    try:
        table = read_user_table(path, COLUMNS)
    except FileNotFoundError:
        raise UserError(_missing(path)) from None
    rows: list[Row] = []
    for number, row in table.rows:
        where = f"{shown_path(path)}, line {number}"
        if len(rows) == MOST_ROWS:
            raise UserError(f"{where}: a leaderboard has at most {MOST_ROWS:,} rows")
        rows.append({name: _checked(row[name], name, where) for name in COLUMNS})
    if not rows:
        raise UserError(f"{shown_path(path)}: it has no rows; make it again: trailers12k run")
    for name in SAME:
        if len({row[name] for row in rows}) > 1:
            raise UserError(
                f"{shown_path(path)}: the column {name} differs between rows; make it again: "
                "trailers12k run"
            )
    names = Counter(row["row"] for row in rows)
    if twice := next((name for name, count in names.items() if count > 1), ""):
        raise UserError(
            f"{shown_path(path)}: the row {quoted(twice)} is there twice; of a joined table, name "
            "its collections"
        )
    return Leaderboard(_name_of(path), path, rows)


def _name_of(path: Path) -> str:
    """The printable name of a leaderboard's collection: of its folder, or of a file."""
    own = Path(os.path.abspath(path)).parent
    folder = own.parent if own.name == "results" else own
    return one_line(folder.name if path.name == NAME else path.stem) or COLLECTION


def file_of(place: Path) -> Path:
    """The leaderboard of a folder or file. A collection and a publication have it in results/."""
    if place.is_dir():
        return place / "results" / NAME
    return place


def _missing(path: Path) -> str:
    return f"{shown_path(path)} is missing; name a collection whose run has finished, or a file"


def _checked(cell: str, name: str, where: str) -> str:
    """The text of a cell. Raises `UserError` if it is no number where one belongs."""
    if name in NUMBERS:
        written, allowed = NUMBERS[name]
        if cell and not written.fullmatch(cell):
            raise UserError(f"{where}, {name}: {quoted(cell)} is no number; allowed: {allowed}")
        return cell
    text = unescape_formula(cell)
    if not is_printable(text):
        raise UserError(
            f"{where}, {name}: {quoted(text)} cannot be printed; allowed: printable characters"
        )
    return text


def _named(boards: Iterable[Leaderboard]) -> list[Leaderboard]:
    """The leaderboards with a name of their own each: the second `x` is `x (2)`, if it is free."""
    found: dict[str, Leaderboard] = {}
    for board in boards:
        name, number = board.collection, 1
        while name in found:
            number += 1
            name = f"{board.collection} ({number})"
        found[name] = Leaderboard(name, board.path, board.rows)
    return [*found.values()]


def _check_same(first: Leaderboard, other: Leaderboard) -> None:
    """Raise `UserError` that names the first of `SAME` in which two leaderboards differ."""
    for name, what in SAME.items():
        if first.rows[0][name] != other.rows[0][name]:
            raise UserError(
                f"{shown_path(other.path)} and {shown_path(first.path)} differ in {what}: their "
                "scores cannot be compared; join collections of the same mtgc.csv"
            )


def ordered(rows: Sequence[Row], column: str = "") -> list[Row]:
    """The rows as they are, or by a column: scores from the highest, names from a to z.

    An order by a score is for looking only: whoever picks the first row by it has chosen on the
    test movies. Rows without a score come last.
    """
    if not column:
        return list(rows)
    if column in METRICS:
        return sorted(rows, key=lambda row: -float(row[column] or -math.inf))
    return sorted(rows, key=lambda row: row[column])


def as_csv(rows: Sequence[Row]) -> str:
    """The joined table with all columns. No spreadsheet takes a cell for a formula."""
    text = io.StringIO()
    writer = csv.DictWriter(text, (COLLECTION, *COLUMNS), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: escape_formula(cell) for name, cell in row.items()} for row in rows)
    return text.getvalue()


def as_markdown(rows: Sequence[Row]) -> str:
    """The joined table with the columns that a reader compares, in Markdown."""
    heads = [COLLECTION, *SHOWN, "movies", *METRICS, "parameters", "s/movie", "on"]
    lines = [heads, ["---"] * len(heads)]
    for row in rows:
        cells = [row[name] for name in (COLLECTION, *SHOWN)]
        cells += [f"{row['movies']} of {row['of']}", *(score(row, name) for name in METRICS)]
        lines.append([*cells, *(row[name] for name in COSTS)])
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def score(row: Mapping[str, str], metric: str) -> str:
    """A metric with its interval where there is one, else with its deviation."""
    low, high = row[f"{metric}_low"], row[f"{metric}_high"]
    if low and high:
        return f"{row[metric]} [{low}, {high}]"
    return f"{row[metric]} ± {row[f'{metric}_sd']}" if row[f"{metric}_sd"] else row[metric]


def _cell(text: str) -> str:
    """A text as a cell of a table in Markdown, on one line and without markup of its own.

    What some readers would make a link is code: they also link addresses with escaped characters.
    """
    line = " ".join(text.split())
    if LINK.search(line):
        fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
        escaped = line.replace("|", r"\|")
        return f"{fence} {escaped} {fence}"
    line = re.sub("[&~]", lambda found: f"&#{ord(found[0])};", line)
    return re.sub(r"[\\|`*_<\[]", r"\\\g<0>", line)
