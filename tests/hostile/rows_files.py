"""Hostile files that users name: tables, configurations, JSON, and packed metadata."""

from pathlib import Path

from tests.hostile.inputs import HostileInput
from trailers12k.common.user_table import read_user_table


def _table_of_nuls(folder: Path) -> Path:
    path = folder / "movies.csv"
    path.write_bytes(b"mid,title\n" + b"\0" * 1000)
    return path


def _read(path: Path) -> object:
    return read_user_table(path, ["mid"])


ROWS = [
    HostileInput(
        kind="movie table",
        name="NUL bytes",
        make=_table_of_nuls,
        use=_read,
        answer=".*it is text in UTF-16",
        bound="no NUL byte",
    ),
]
