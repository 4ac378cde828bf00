"""Reads tables of this workflow with pandas, after checking that a job of ours wrote them.

Reads the files that its callers name. Must not know what the tables mean.
"""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from trailers12k.common.files import check_csv, reading
from trailers12k.common.vocabulary import GENRES


def read_frame(
    path: str | Path,
    columns: Sequence[str] = (),
    numbers: Collection[str] = (),
    key: Sequence[str] = (),
    **options: Any,
) -> pd.DataFrame:
    """A table as pandas reads it. options: of `pandas.read_csv`.

    columns, numbers, key: see `files.read_csv`, whose errors this raises.
    """
    check_csv(path, columns, numbers=numbers, key=key)
    with reading(path):
        return pd.read_csv(path, **options)


def read_predictions(path: str | Path) -> pd.DataFrame:
    """Predictions of movies, indexed by mid: a probability per genre. Raises `UserError`."""
    return _complete(path, ["mid", *GENRES], GENRES, ["mid"], index_col="mid")


def read_curves(path: str | Path) -> pd.DataFrame:
    """curves.csv of a training: a row per epoch. Raises `UserError`."""
    columns = ["epoch", "train_loss", "val_loss", "lr"]
    return _complete(path, columns, columns, ["epoch"])


def read_balance(path: str | Path) -> pd.DataFrame:
    """results/splits.csv: a row per split and subset. Raises `UserError`."""
    numbers = ["movies", *GENRES]
    return read_frame(path, ["split", "subset", *numbers], numbers, ["split", "subset"])


def read_embedding(path: str | Path) -> pd.DataFrame:
    """results/map/STORE.csv: a row per movie. Raises `UserError`."""
    columns = ["mid", "x", "y", "nearest", "distance"]
    return read_frame(path, columns, ["x", "y", "distance"], ["mid"])


def _complete(path: str | Path, *arguments: Any, **options: Any) -> pd.DataFrame:
    """A table of which no cell is empty."""
    frame = read_frame(path, *arguments, **options)
    with reading(path):
        if frame.empty or frame.isna().any(axis=None):
            raise ValueError("a cell is empty" if len(frame) else "it has no rows")
    return frame
