"""The flat view of the movies: movies.csv, one row per movie.

Reads and writes movies.csv. Must not know where movies come from.
"""

from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from trailers12k.common.files import read_csv, write_csv
from trailers12k.common.local_files import for_table, from_table
from trailers12k.common.movie import Movie

COLUMNS = [field.name for field in fields(Movie)]
ADDRESSES = ("trailer_url", "poster_url")


def write_movies(path: str | Path, movies: Sequence[Movie]) -> None:
    """Write movies.csv: the columns `COLUMNS`; several genres or trailers are joined by `|`.

    The file can be read as a movie table: paths of local files start in its folder.
    """
    folder = Path(path).parent
    rows = []
    for movie in movies:
        row = asdict(movie) | {"genres": "|".join(movie.genres)}
        row |= {name: for_table(getattr(movie, name), folder) for name in ADDRESSES}
        others = [for_table(address, folder) for address in movie.other_trailers]
        rows.append(row | {"other_trailers": "|".join(others)})
    write_csv(path, COLUMNS, rows)


def read_movies(path: str | Path) -> list[Movie]:
    """The movies of a movies.csv that `write_movies` wrote."""
    movies = []
    folder = Path(path).parent
    for row in read_csv(path):
        others = filter(None, row["other_trailers"].split("|"))
        values: dict[str, Any] = {**row}
        values |= {name: from_table(row[name], folder) for name in ADDRESSES}
        values["genres"] = tuple(filter(None, row["genres"].split("|")))
        values["other_trailers"] = tuple(from_table(address, folder) for address in others)
        movies.append(Movie(**values))
    return movies
