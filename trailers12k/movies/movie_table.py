"""The flat view of the movies: movies.csv, one row per movie.

Reads and writes movies.csv. Must not know where movies come from.
"""

from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from trailers12k.common.files import read_csv, write_csv
from trailers12k.common.movie import Movie

COLUMNS = [field.name for field in fields(Movie)]
JOINED = ("genres", "other_trailers")


def write_movies(path: str | Path, movies: Sequence[Movie]) -> None:
    """Write movies.csv: the columns `COLUMNS`; several genres or trailers are joined by `|`.

    A copy in the collection's folder can be read as a movie table: paths start there.
    """
    rows = [
        asdict(movie) | {name: "|".join(getattr(movie, name)) for name in JOINED}
        for movie in movies
    ]
    write_csv(path, COLUMNS, rows)


def read_movies(path: str | Path) -> list[Movie]:
    """The movies of a movies.csv that `write_movies` wrote. Raises `UserError`."""
    movies = []
    for row in read_csv(path, COLUMNS, key=["mid"]):
        lists = {name: tuple(filter(None, row[name].split("|"))) for name in JOINED}
        values: dict[str, Any] = {name: row[name] for name in COLUMNS} | lists
        movies.append(Movie(**values))
    return movies
