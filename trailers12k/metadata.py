"""The two views of the movies: metadata.json as Trailers12k publishes it, and the flat movies.csv.

Reads movies.csv and the trailers' ledger rows. Must not know videos.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path

from trailers12k.files import read_csv, write_csv, write_json
from trailers12k.movies import Movie

COLUMNS = [field.name for field in fields(Movie)]


def write_movies(path: str | Path, movies: Sequence[Movie]) -> None:
    """Write movies.csv: `mid,title,year,genres,youtube_id,trailer_url,poster_url`, by mid."""
    rows = [asdict(movie) | {"genres": "|".join(movie.genres)} for movie in movies]
    write_csv(path, COLUMNS, rows)


def read_movies(path: str | Path) -> list[Movie]:
    """The movies of a movies.csv that `write_movies` wrote."""
    return [Movie(**row | {"genres": tuple(row["genres"].split("|"))}) for row in read_csv(path)]


def write_metadata(
    path: str | Path, movies: Sequence[Movie], trailers: Iterable[Mapping[str, str]]
) -> int:
    """Write metadata.json in Trailers12k's structure; the number of movies with a trailer.

    trailers: rows of the trailers' ledger. `dims` is (seconds, height, width) of the file that was
        really downloaded, and left out where there is none.
    """
    found = {row["mid"]: row for row in trailers if row["status"] == "ok"}
    entries = {}
    for number, movie in enumerate(movies, start=1):
        trailer: dict = {"id": movie.youtube_id}
        if movie.trailer_url:
            trailer["url"] = movie.trailer_url
        if row := found.get(movie.mid):
            trailer["dims"] = [float(row["duration"]), int(row["height"]), int(row["width"])]
        imdb = {
            "id": movie.mid.removeprefix("tt"),
            "title": movie.title,
            "year": movie.year,
            "genres": list(movie.genres),
        }
        entries[str(number)] = {"imdb": imdb, "youtube": {"trailers": [trailer]}}
    write_json(path, {"trailers12k": entries})
    return len(found)
