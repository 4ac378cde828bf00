"""The leaderboard's columns, and tables of several collections joined.

Reads leaderboard.csv of collections and publications. Must not know how a leaderboard is computed.
"""

import csv
import io
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trailers12k.common.bounded_files import quoted, shown_path
from trailers12k.common.errors import UserError
from trailers12k.common.user_table import read_user_table
from trailers12k.common.vocabulary import METRICS, SPLITS, STREAMS

NAME = "leaderboard.csv"
SPREAD = ("sd", "low", "high")
"""After a metric: the deviation over the splits, and the ends of the interval."""
TESTS = tuple(f"test{split}_sha256" for split in SPLITS)
"""Columns with the hash of the test movies of a split."""
SAME = {
    "labels_sha256": "the genres of data/mtgc.csv",
    **{name: f"the test movies of split{split}" for name, split in zip(TESTS, SPLITS, strict=True)},
    "mtgc_sha256": "data/mtgc.csv (its training and validation movies, or its order)",
}
"""Columns that are equal in all rows of a table -> what they are hashes of."""
SCORED = tuple(name for metric in METRICS for name in (metric, *(f"{metric}_{e}" for e in SPREAD)))
COLUMNS = (
    *("row", "classifier", *STREAMS, "encoders", "pretrained"),
    *("weights_license", "non_commercial"),
    *("movies", "of", *SCORED, "encoder_parameters", "classifier_parameters"),
    *("seconds_per_movie", "seconds_on", "seconds_shared"),
    *("workflow", "torch", "torchvision", "timm", "transformers", "code", *SAME),
)
"""Columns of leaderboard.csv."""
COLLECTION = "collection"
"""The first column of a joined table."""
SHOWN = ("row", "classifier", "encoders", "pretrained", "weights_license")
"""Columns of the table in Markdown, before the scores."""
MOST_ROWS = 10_000
"""Of one leaderboard. A collection has a few hundred rows at most."""
COUNTED = ("movies", "of", "encoder_parameters", "classifier_parameters")

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
    path = _file(place)
    try:
        table = read_user_table(path, COLUMNS)
    except FileNotFoundError:
        raise UserError(_missing(path)) from None
    rows: list[Row] = []
    for number, row in table.rows:
        where = f"{shown_path(path)}, line {number}"
        if len(rows) == MOST_ROWS:
            raise UserError(f"{where}: a leaderboard has at most {MOST_ROWS:,} rows")
        _check_numbers(row, where)
        rows.append({name: row[name] for name in COLUMNS})
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
        raise UserError(f"{shown_path(path)}: the row {quoted(twice)} is there twice")
    own = path.absolute().parent
    folder = own.parent if own.name == "results" else own
    return Leaderboard(folder.name if path.name == NAME else path.stem, path, rows)


def _file(place: Path) -> Path:
    """The leaderboard of a folder or file. A collection and a publication have it in results/."""
    if place.is_dir():
        return place / "results" / NAME
    return place


def _missing(path: Path) -> str:
    return f"{shown_path(path)} is missing; name a collection whose run has finished, or a file"


def _check_numbers(row: Mapping[str, str], where: str) -> None:
    """Raise `UserError` for a cell that is no number where one belongs."""
    for name in (*SCORED, *COUNTED, "seconds_per_movie"):
        try:
            good = not row[name] or math.isfinite(float(row[name]))
        except ValueError:
            good = False
        if not good:
            raise UserError(f"{where}, {name}: {quoted(row[name])} is no number")


def _named(boards: Iterable[Leaderboard]) -> list[Leaderboard]:
    """The leaderboards with a name of their own each: the second `x` is `x (2)`."""
    seen: dict[str, int] = {}
    found = []
    for board in boards:
        seen[board.collection] = number = seen.get(board.collection, 0) + 1
        name = f"{board.collection} ({number})" if number > 1 else board.collection
        found.append(Leaderboard(name, board.path, board.rows))
    return found


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
    """The joined table with all columns."""
    text = io.StringIO()
    writer = csv.DictWriter(text, (COLLECTION, *COLUMNS), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def as_markdown(rows: Sequence[Row]) -> str:
    """The joined table with the columns that a reader compares, in Markdown."""
    heads = [COLLECTION, *SHOWN, "movies", *METRICS, "parameters", "s/movie"]
    lines = [heads, ["---"] * len(heads)]
    for row in rows:
        cells = [row[name] for name in (COLLECTION, *SHOWN)]
        cells += [f"{row['movies']} of {row['of']}", *(score(row, name) for name in METRICS)]
        lines.append([*cells, row["encoder_parameters"], row["seconds_per_movie"]])
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def score(row: Mapping[str, str], metric: str) -> str:
    """A metric with its interval where there is one, else with its deviation."""
    low, high = row[f"{metric}_low"], row[f"{metric}_high"]
    if low and high:
        return f"{row[metric]} [{low}, {high}]"
    return f"{row[metric]} ± {row[f'{metric}_sd']}" if row[f"{metric}_sd"] else row[metric]


def _cell(text: str) -> str:
    """A text as a cell of a table in Markdown, on one line and without markup of its own."""
    line = " ".join(text.split())
    for character in "\\|`*_<[":
        line = line.replace(character, f"\\{character}")
    return line
