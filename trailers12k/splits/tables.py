"""The CSV tables of splits: labels, earlier assignments, groups, and mtgc.csv.

Reads tables that a user names; writes mtgc.csv. Must not know how movies are assigned.
"""

import logging
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from trailers12k.common.errors import UserError
from trailers12k.common.files import write_csv
from trailers12k.common.vocabulary import SPLITS
from trailers12k.splits.rows import (
    BINARY,
    Rows,
    read_group_names,
    read_positions,
    read_rows,
)
from trailers12k.splits.stratification import UNASSIGNED

log = logging.getLogger(__name__)

MOST_LABELS = 100
"""Of a table to split. Balancing all their pairs takes a minute and 300 MB for 1,000 movies."""
SPLIT = re.compile(r"split\d+", re.ASCII)
"""The columns of earlier splits, which are no labels."""


def read_table(path: str | Path) -> tuple[list[str], list[str], np.ndarray]:
    """A table of labels, sorted by mid: mids, label names, labels (movies, names) int64 of 0, 1.

    Every column but `mid` and `split0`, `split1`, ... is a label. Raises
    `UserError`, with file and line.
    """
    rows = read_rows(path, ["mid"])
    names = [name for name in rows.columns if name != "mid" and not SPLIT.fullmatch(name)]
    if not names:
        raise UserError(f"{path}: there is no label column; add columns of 0 and 1")
    if len(names) > MOST_LABELS:
        raise UserError(f"{path}: {len(names):,} columns of labels; allowed: at most {MOST_LABELS}")
    mids, labels = _sorted_labels(rows, names)
    return mids, names, labels


def read_labels(path: str | Path, genres: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """The movies of a table, sorted by mid, and their labels (movies, genres) int64 of 0 and 1.

    Raises `UserError`, with file and line.
    """
    return _sorted_labels(read_rows(path, ["mid", *genres]), genres)


def _sorted_labels(rows: Rows, names: Sequence[str]) -> tuple[list[str], np.ndarray]:
    labels = np.array(rows.numbers(names, BINARY), np.int64)
    mids = rows.mids
    order = sorted(range(len(mids)), key=mids.__getitem__)
    return [mids[place] for place in order], labels[order]


def read_assigned(path: str | Path, mids: Sequence[str], count: int = len(SPLITS)) -> np.ndarray:
    """The subsets that an earlier table assigns: (movies, count) int64, `UNASSIGNED` elsewhere.

    Raises `UserError`, with file and line.
    """
    earlier = read_positions(path, count)
    assigned = np.array([earlier.get(mid, [UNASSIGNED] * count) for mid in mids], np.int64)
    kept = len(earlier.keys() & set(mids))
    log.info(
        "%s: movies that keep their subsets: %d, new: %d, no longer listed: %d",
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
    group = read_group_names(path)
    others = sorted(group.keys() - set(mids))
    if others:
        log.warning(
            "%s: %d of %d movies are not among those to split, such as %s; check their mids",
            path,
            len(others),
            len(group),
            others[0],
        )
    numbers = {name: number for number, name in enumerate(dict.fromkeys(group.values()))}
    log.info("%s: movies: %d, groups: %d", path, len(group.keys() & set(mids)), len(numbers))
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
