"""The rows of the CSV tables of splits: labels, earlier assignments, groups.

Reads tables that a user names. Must not import numpy, since Snakemake checks tables while it plans.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trailers12k.common.bounded_files import quoted, shown_path
from trailers12k.common.errors import UserError
from trailers12k.common.user_table import read_user_table
from trailers12k.common.vocabulary import SPLITS, SUBSETS

BINARY = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "false": 0, "true": 1}
"""Values of a label, in lower case: as spreadsheets and data frames write them."""
POSITIONS = {str(number): number for number in range(len(SUBSETS))}
"""Values of a split column."""


@dataclass(frozen=True)
class Rows:
    """The rows of a table in its order: the number of the line, and the texts; mids are unique."""

    path: Path
    columns: tuple[str, ...]
    lines: list[int]
    cells: list[tuple[str, ...]]

    @property
    def mids(self) -> list[str]:
        """The movies, in the order of the rows."""
        return self.column("mid")

    def column(self, name: str) -> list[str]:
        """The texts of a column, in the order of the rows."""
        place = self.columns.index(name)
        return [row[place] for row in self.cells]

    def numbers(self, names: Sequence[str], allowed: Mapping[str, int]) -> list[list[int]]:
        """The values of some columns, row by row. Raises `UserError` on a value not allowed."""
        places = [self.columns.index(name) for name in names]
        values = []
        for line, row in zip(self.lines, self.cells, strict=True):
            values.append([allowed.get(row[place].lower(), -1) for place in places])
            if -1 in values[-1]:
                place = places[values[-1].index(-1)]
                raise UserError(
                    f"{shown_path(self.path)}, line {line}: {self.columns[place][:60]} is "
                    f"{quoted(row[place], 60)}; allowed: "
                    f"{', '.join(dict.fromkeys(map(str, allowed.values())))}"
                )
        return values


def read_rows(path: str | Path, columns: Sequence[str]) -> Rows:
    """The rows of a table with at least these columns. Raises `UserError`, with file and line."""
    try:
        table = read_user_table(path, columns)
    except FileNotFoundError:
        raise UserError(f"{shown_path(path)} does not exist; allowed: a CSV file") from None
    where = shown_path(path)
    lines: dict[str, int] = {}
    cells = []
    for line, row in table.rows:
        mid = row["mid"]
        if not mid:
            raise UserError(f"{where}, line {line}: mid is empty; allowed: the movie's id")
        if mid in lines:
            raise UserError(
                f"{where}, line {line}: {shown_path(mid)} is in line {lines[mid]} already; "
                "allowed: each once"
            )
        lines[mid] = line
        # Most texts of such a table are a digit, of which Python has one object.
        cells.append(tuple(row.values()))
    if not lines:
        raise UserError(f"{where}: no rows below the first line; allowed: a row for each movie")
    return Rows(table.path, table.columns, list(lines.values()), cells)


def read_positions(path: str | Path, count: int = len(SPLITS)) -> dict[str, list[int]]:
    """The subsets that an earlier table assigns: mid -> position in `SUBSETS`, for each split.

    Raises `UserError`, with file and line.
    """
    names = [f"split{number}" for number in range(count)]
    rows = read_rows(path, ["mid", *names])
    return dict(zip(rows.mids, rows.numbers(names, POSITIONS), strict=True))


def read_group_names(path: str | Path) -> dict[str, str]:
    """The groups in a table `mid,group`: mid -> group, of the movies that have one.

    Raises `UserError`, with file and line.
    """
    rows = read_rows(path, ["mid", "group"])
    pairs = zip(rows.mids, rows.column("group"), strict=True)
    return {mid: group for mid, group in pairs if group}
