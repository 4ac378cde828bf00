"""Tables of labels, splits and groups.

Reads and writes CSV files. Must not know how movies are assigned.
"""

import csv
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from trailers12k.common.errors import UserError
from trailers12k.common.files import read_csv, write_csv
from trailers12k.common.vocabulary import SUBSETS

log = logging.getLogger(__name__)

SPLITS = 3

NEW = -1
"""In a split column that is to be filled: not assigned yet."""


def read_table(path: str | Path) -> tuple[list[str], list[str], np.ndarray]:
    """A table of labels: mids, names of the labels, and the labels (movies, names) of 0 and 1.

    Columns `split0`, ... are left aside. Raises `UserError`, with file and line.
    """
    rows = _rows(path, ["mid"])
    names = [name for name in rows[0] if name != "mid" and not name.startswith("split")]
    if not names:
        raise UserError(f"{path}: no columns of labels beside mid")
    labels = _numbers(path, rows, names, ("0", "1"))
    return [row["mid"] for row in rows], names, labels


def read_labels(path: str | Path, genres: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """The movies of a table, sorted by mid, and their labels (movies, genres).

    Raises `UserError`, with file and line.
    """
    rows = sorted(_rows(path, ["mid", *genres]), key=lambda row: row["mid"])
    return [row["mid"] for row in rows], _numbers(path, rows, genres, ("0", "1"))


def read_given(path: str | Path, mids: Sequence[str], count: int = SPLITS) -> np.ndarray:
    """The subsets that movies have in an earlier file, (movies, count) int64, else `NEW`.

    Raises `UserError`, with file and line.
    """
    names = [f"split{number}" for number in range(count)]
    rows = _rows(path, ["mid", *names])
    values = _numbers(path, rows, names, tuple(str(n) for n in range(len(SUBSETS))))
    known = dict(zip((row["mid"] for row in rows), values, strict=True))
    given = np.array([known.get(mid, np.full(count, NEW)) for mid in mids])
    kept = len(known.keys() & set(mids))
    log.info(
        "%s: %d movies keep their subsets, %d are new, %d have left",
        path,
        kept,
        len(mids) - kept,
        len(known) - kept,
    )
    return given


def read_groups(path: str | Path, mids: Sequence[str]) -> np.ndarray:
    """The group of each movie, (movies,) int64, from a table `mid,group`; others stand alone.

    Raises `UserError`, with file and line.
    """
    rows = _rows(path, ["mid", "group"])
    group = {row["mid"]: row["group"] for row in rows if row["group"]}
    numbers = {name: number for number, name in enumerate(dict.fromkeys(group.values()))}
    log.info("%s: %d movies in %d groups", path, len(group.keys() & set(mids)), len(numbers))
    return np.array(
        [
            numbers[group[mid]] if mid in group else len(numbers) + place
            for place, mid in enumerate(mids)
        ]
    )


def _rows(path: str | Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a table that a user named; each mid once."""
    try:
        rows = read_csv(path)
    except FileNotFoundError as error:
        raise UserError(f"{path} does not exist") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: it is no CSV file in UTF-8: {error}") from error
    missing = [name for name in columns if not rows or name not in rows[0]]
    if missing:
        raise UserError(f"{path}: no rows, or no column {', '.join(missing)}")
    seen: dict[str, int] = {}
    for line, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise UserError(f"{path}, line {line}: more or fewer fields than the first line has")
        if row["mid"] in seen:
            raise UserError(
                f"{path}, line {line}: {row['mid']} stands in line {seen[row['mid']]} too"
            )
        seen[row["mid"]] = line
    return rows


def _numbers(
    path: str | Path, rows: list[dict], names: Sequence[str], allowed: Sequence[str]
) -> np.ndarray:
    for line, row in enumerate(rows, start=2):
        for name in names:
            if row[name] not in allowed:
                raise UserError(
                    f"{path}, line {line}: {name} is {row[name]!r}; allowed: {', '.join(allowed)}"
                )
    return np.array([[int(row[name]) for name in names] for row in rows], np.int64)


def write_splits(
    path: str | Path,
    mids: Sequence[str],
    names: Sequence[str],
    labels: np.ndarray,
    columns: np.ndarray,
) -> None:
    """Write mtgc.csv: `mid`, the labels, `split0`, ...; in the order given."""
    header = ["mid", *names, *(f"split{number}" for number in range(columns.shape[1]))]
    table = zip(mids, labels, columns, strict=True)
    rows = (dict(zip(header, [mid, *row, *subsets], strict=True)) for mid, row, subsets in table)
    write_csv(path, header, rows)
