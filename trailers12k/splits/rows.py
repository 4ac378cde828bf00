"""The rows of the CSV tables of splits: labels, earlier assignments, groups.

Reads tables that a user names. Must not import numpy, since Snakemake checks tables while it plans.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trailers12k.common.errors import UserError
from trailers12k.common.user_table import read_user_table
from trailers12k.common.vocabulary import SPLITS, SUBSETS

BINARY = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "false": 0, "true": 1}
"""Values of a label, in lower case: as spreadsheets and data frames write them."""
POSITIONS = {str(number): number for number in range(len(SUBSETS))}
"""Values of a split column."""


@dataclass(frozen=True)
class Rows:
    """The rows of a table in its order, with the number of the line of each; mids are unique."""

    path: Path
    columns: tuple[str, ...]
    lines: list[tuple[int, dict[str, str]]]

    @property
    def mids(self) -> list[str]:
        """The movies, in the order of the rows."""
        return [row["mid"] for _, row in self.lines]

    def numbers(self, names: Sequence[str], allowed: Mapping[str, int]) -> list[list[int]]:
        """The values of some columns, row by row. Raises `UserError` on a value not allowed."""
        for line, row in self.lines:
            for name in names:
                if row[name].lower() not in allowed:
                    raise UserError(
                        f"{self.path}, line {line}: {name} is {row[name]!r}; allowed: "
                        f"{', '.join(dict.fromkeys(map(str, allowed.values())))}"
                    )
        return [[allowed[row[name].lower()] for name in names] for _, row in self.lines]


def read_rows(path: str | Path, columns: Sequence[str]) -> Rows:
    """The rows of a table with at least these columns. Raises `UserError`, with file and line."""
    try:
        table = read_user_table(path, columns)
    except FileNotFoundError:
        raise UserError(f"{path} does not exist; allowed: a CSV file") from None
    if not table.rows:
        raise UserError(f"{path}: no rows below the first line; allowed: a row for each movie")
    lines: dict[str, int] = {}
    for line, row in table.rows:
        mid = row["mid"]
        if not mid:
            raise UserError(f"{path}, line {line}: mid is empty; allowed: the movie's id")
        if mid in lines:
            raise UserError(
                f"{path}, line {line}: {mid} is in line {lines[mid]} already; allowed: each once"
            )
        lines[mid] = line
    return Rows(table.path, table.columns, table.rows)


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
    return {row["mid"]: row["group"] for _, row in rows.lines if row["group"]}
