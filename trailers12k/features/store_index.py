"""The index of a store: size and time of each array's files when its values were last verified.

Reads and writes build/stores/STORE.csv. Must not read arrays.
"""

import csv
import os
from pathlib import Path

from trailers12k.common.files import read_csv, write_csv

FILES = {"0.0": "its chunk is missing", ".zarray": "no .zarray", ".zattrs": "no .zattrs"}
"""The files of an array, and what is said of one that is not there."""

COLUMNS = ("mid", "fingerprint", "signature")

Index = dict[str, tuple[str, str]]
"""mid -> fingerprint and signature of an array whose values are known to be good."""


def index_of(store: str) -> Path:
    """Where the index of a store lies."""
    return Path(f"build/stores/{store}.csv")


def read_index(path: Path) -> Index:
    """The index of a store; empty when there is none, or none that can be read."""
    try:
        return {row["mid"]: (row["fingerprint"], row["signature"]) for row in read_csv(path)}
    except (FileNotFoundError, KeyError, ValueError, csv.Error):
        return {}


def write_index(path: Path, index: Index) -> None:
    """Write the index of a store, sorted by mid."""
    rows = (dict(zip(COLUMNS, (mid, *index[mid]), strict=True)) for mid in sorted(index))
    write_csv(path, COLUMNS, rows)


def signature(folder: str | os.PathLike) -> str:
    """Size and time of an array's files, "BYTES@NANOSECONDS" each; empty when one is missing."""
    try:
        states = [os.stat(f"{folder}/{name}") for name in FILES]
    except (FileNotFoundError, NotADirectoryError):
        return ""
    return " ".join([f"{state.st_size}@{state.st_mtime_ns}" for state in states])
