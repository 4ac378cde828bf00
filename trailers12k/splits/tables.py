"""The CSV tables of splits: labels, earlier assignments, groups, and mtgc.csv.

Reads tables that a user names; writes mtgc.csv. Must not know how movies are assigned.
"""

import csv
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from trailers12k.common.errors import UserError
from trailers12k.common.files import read_csv, write_csv
from trailers12k.common.vocabulary import SPLITS, SUBSETS
from trailers12k.splits.stratification import UNASSIGNED

log = logging.getLogger(__name__)


def read_table(path: str | Path) -> tuple[list[str], list[str], np.ndarray]:
    """A table of labels, sorted by mid: mids, label names, labels (movies, names) int64 of 0, 1.

    Every column but `mid` and `split*` is a label. Raises `UserError`, with file and line.
    """
    rows = _read_rows(path, ["mid"])
    names = [name for name in rows[0] if name != "mid" and not name.startswith("split")]
    if not names:
        raise UserError(f"{path}: there is no label column; add columns of 0 and 1")
    labels = _read_numbers(path, rows, names, ("0", "1"))
    order = sorted(range(len(rows)), key=lambda place: rows[place]["mid"])
    return [rows[place]["mid"] for place in order], names, labels[order]


def read_labels(path: str | Path, genres: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """The movies of a table, sorted by mid, and their labels (movies, genres) int64 of 0 and 1.

    Raises `UserError`, with file and line.
    """
    rows = sorted(_read_rows(path, ["mid", *genres]), key=lambda row: row["mid"])
    return [row["mid"] for row in rows], _read_numbers(path, rows, genres, ("0", "1"))


def read_assigned(path: str | Path, mids: Sequence[str], count: int = len(SPLITS)) -> np.ndarray:
    """The subsets that an earlier table assigns: (movies, count) int64, `UNASSIGNED` elsewhere.

    Raises `UserError`, with file and line.
    """
    names = [f"split{number}" for number in range(count)]
    rows = _read_rows(path, ["mid", *names])
    values = _read_numbers(path, rows, names, tuple(str(n) for n in range(len(SUBSETS))))
    earlier = dict(zip((row["mid"] for row in rows), values, strict=True))
    assigned = np.array([earlier.get(mid, np.full(count, UNASSIGNED)) for mid in mids])
    kept = len(earlier.keys() & set(mids))
    log.info(
        "%s: %d movies keep their subsets, %d are new, %d have left",
        path,
        kept,
        len(mids) - kept,
        len(earlier) - kept,
    )
    return assigned


def read_groups(path: str | Path, mids: Sequence[str]) -> np.ndarray:
    """The group of each movie, (movies,) int64, from a table `mid,group`.

    A movie without a group gets one of its own. Raises `UserError`, with file and line.
    """
    rows = _read_rows(path, ["mid", "group"])
    group = {row["mid"]: row["group"] for row in rows if row["group"]}
    numbers = {name: number for number, name in enumerate(dict.fromkeys(group.values()))}
    log.info("%s: %d movies in %d groups", path, len(group.keys() & set(mids)), len(numbers))
    return np.array(
        [
            numbers[group[mid]] if mid in group else len(numbers) + place
            for place, mid in enumerate(mids)
        ]
    )


def write_splits(
    path: str | Path,
    mids: Sequence[str],
    names: Sequence[str],
    labels: np.ndarray,
    columns: np.ndarray,
) -> None:
    """Write mtgc.csv: `mid`, the labels, `split0`, ...; rows in the order of `mids`."""
    header = ["mid", *names, *(f"split{number}" for number in range(columns.shape[1]))]
    table = zip(mids, labels, columns, strict=True)
    rows = (dict(zip(header, [mid, *row, *subsets], strict=True)) for mid, row, subsets in table)
    write_csv(path, header, rows)


def _read_rows(path: str | Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a table with at least these columns; every mid occurs once."""
    try:
        rows = read_csv(path)
    except FileNotFoundError as error:
        raise UserError(f"{path} does not exist") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path} is not a CSV file in UTF-8: {error}") from error
    missing = [name for name in columns if not rows or name not in rows[0]]
    if missing:
        raise UserError(f"{path}: no rows, or no column {', '.join(missing)}")
    lines: dict[str, int] = {}
    for line, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise UserError(f"{path}, line {line}: more or fewer fields than the header has")
        mid = row["mid"]
        if mid in lines:
            raise UserError(f"{path}, line {line}: {mid} is in line {lines[mid]} already")
        lines[mid] = line
    return rows


def _read_numbers(
    path: str | Path,
    rows: Sequence[dict[str, str]],
    names: Sequence[str],
    allowed: Sequence[str],
) -> np.ndarray:
    """The columns `names` as (rows, names) int64. Raises `UserError` on a value not allowed."""
    for line, row in enumerate(rows, start=2):
        for name in names:
            if row[name] not in allowed:
                raise UserError(
                    f"{path}, line {line}: {name} is {row[name]!r}; allowed: {', '.join(allowed)}"
                )
    return np.array([[int(row[name]) for name in names] for row in rows], np.int64)
