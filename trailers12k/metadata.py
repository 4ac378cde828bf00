"""The two views of the movies: metadata.json as Trailers12k publishes it, and the flat movies.csv.

Reads movies.csv and the trailers' ledger rows. Must not know videos.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path

from trailers12k.files import read_csv, write_csv, write_json
from trailers12k.movies import Movie
from trailers12k.sources.records import Record

COLUMNS = [field.name for field in fields(Movie)]
JOINED = ("genres", "other_trailers")


def write_movies(path: str | Path, movies: Sequence[Movie]) -> None:
    """Write movies.csv, by mid, `COLUMNS` in their order; several genres or trailers joined by `|`.

    It can be read as a movie table.
    """
    rows = [
        asdict(movie) | {name: "|".join(getattr(movie, name)) for name in JOINED}
        for movie in movies
    ]
    write_csv(path, COLUMNS, rows)


def read_movies(path: str | Path) -> list[Movie]:
    """The movies of a movies.csv that `write_movies` wrote."""
    return [
        Movie(**row | {name: tuple(filter(None, row[name].split("|"))) for name in JOINED})
        for row in read_csv(path)
    ]


def write_metadata(
    path: str | Path, found: Sequence[Record], trailers: Iterable[Mapping[str, str]]
) -> int:
    """Write metadata.json in Trailers12k's structure; the number of movies with a trailer.

    What a source has published is kept as it is, gaps are filled, and `sources` tells which source
    gave which field.
    trailers: rows of the trailers' ledger. The trailer that was really downloaded comes first,
        since readers take the first; its `dims` is (seconds, height, width) of that file.
    """
    rows = {row["mid"]: row for row in trailers if row["status"] == "ok"}
    entries = {}
    for number, record in enumerate(found, start=1):
        imdb = dict(record.entry.get("imdb", {}))
        known = {
            "id": record.mid.removeprefix("tt"),
            "title": record.title,
            "year": record.year,
            "genres": list(record.genres),
        }
        imdb |= {name: value for name, value in known.items() if not imdb.get(name)}
        if record.poster_url and record.poster_url not in imdb.values():
            imdb["poster_url"] = record.poster_url
        listed = [{"id": "", **trailer} for trailer in record.trailers] or [{"id": ""}]
        if row := rows.get(record.mid):
            used = listed.pop(int(row["trailer"] or 0))
            used["dims"] = [float(row["duration"]), int(row["height"]), int(row["width"])]
            listed.insert(0, used)
        youtube = {**record.entry.get("youtube", {}), "trailers": listed}
        entries[str(number)] = {
            **record.entry,
            "imdb": imdb,
            "youtube": youtube,
            "sources": dict(record.given),
        }
    write_json(path, {"trailers12k": entries})
    return len(rows)
