"""The labels and splits of movies, from mtgc.csv.

Reads mtgc.csv. Must not know features, nor import what reads stores: every training waits for it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from trailers12k.common.bounded_files import quoted
from trailers12k.common.errors import UserError
from trailers12k.common.files import read_csv
from trailers12k.common.vocabulary import GENRES, SUBSETS


class LabelTable(NamedTuple):
    """The content of mtgc.csv, N movies."""

    mids: list[str]
    labels: np.ndarray
    """(N, 10) uint8 of 0 and 1, in the order of `GENRES`."""
    splits: np.ndarray
    """(N, splits) uint8: the place in `SUBSETS`, a column per split in the order of the file."""


def read_labels(mtgc: str | Path) -> LabelTable:
    """The movies of mtgc.csv.

    Raises `UserError`, naming the file, on damage, a missing column, a repeated movie, or an
    invalid label or subset.
    """
    rows = read_csv(mtgc)
    columns = list(rows[0]) if rows else []
    splits = [name for name in columns if name.startswith("split")]
    missing = [name for name in ("mid", *GENRES) if name not in columns]
    if missing or not splits:
        raise UserError(f"{mtgc}: no column {', '.join(missing) or 'split0'}, or no movies")
    mids = [row["mid"] for row in rows]
    if len(set(mids)) < len(mids):
        raise UserError(f"{mtgc}: a movie occurs twice")
    labels = _read_numbers(mtgc, rows, GENRES, (0, 1))
    return LabelTable(mids, labels, _read_numbers(mtgc, rows, splits, tuple(range(len(SUBSETS)))))


def load_split(
    mtgc: str | Path, split: int = 0, subset: str = "training"
) -> tuple[list[str], np.ndarray]:
    """The movies of one of `SUBSETS` in a split: mids, and labels (N, 10) uint8.

    Raises ValueError on an unknown subset or split, and as `read_labels`.
    """
    mids, labels, splits = read_labels(mtgc)
    if subset not in SUBSETS:
        raise ValueError(f"subset={subset!r} must be one of {', '.join(SUBSETS)}")
    if not 0 <= split < splits.shape[1]:
        raise ValueError(
            f"split={split} must be the number, from 0, of one of the {splits.shape[1]} split "
            f"columns of {mtgc}"
        )
    rows = np.flatnonzero(splits[:, split] == SUBSETS.index(subset))
    return [mids[row] for row in rows.tolist()], labels[rows]


def _read_numbers(
    path: str | Path, rows: list[dict[str, str]], columns: Sequence[str], allowed: tuple[int, ...]
) -> np.ndarray:
    """Columns as (rows, columns) uint8. Raises ValueError on a value that is not allowed."""
    values = {str(value): value for value in allowed}
    for row in rows:
        for name in columns:
            if row[name] not in values:
                raise UserError(
                    f"{path}: {quoted(row['mid'])} has {name}={quoted(row[name])}, not in {allowed}"
                )
    return np.array([[values[row[name]] for name in columns] for row in rows], np.uint8)
