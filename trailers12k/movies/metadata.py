"""The two views of the movies: metadata.json as Trailers12k publishes it, and the flat movies.csv.

Reads movies.csv and the trailers' ledger rows. Must not know videos.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path

from trailers12k.common.files import read_csv, write_csv, write_json
from trailers12k.common.movie import Movie, addresses_of
from trailers12k.movies.curation import STAGE, Decided
from trailers12k.movies.sources.records import Record

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
    path: str | Path,
    found: Sequence[Record],
    trailers: Iterable[Mapping[str, str]],
    decided: Decided = (),
) -> int:
    """Write metadata.json in Trailers12k's structure; the number of movies with a trailer.

    What a source has published is kept as it is, gaps are filled, `sources` tells which source gave
    which field, and `curation` what somebody decided about the movie, if anybody did.
    trailers: rows of the trailers' ledger. The trailer that was really downloaded comes first,
        since readers take the first; its `dims` is (seconds, height, width) of that file.
    decided: the decisions in force.
    """
    decisions = {decision.mid: decision for decision, _ in decided}
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
            used = listed.pop(_place(row, listed))
            used["dims"] = [float(row["duration"]), int(row["height"]), int(row["width"])]
            listed.insert(0, used)
        youtube = {**record.entry.get("youtube", {}), "trailers": listed}
        entries[str(number)] = {
            **record.entry,
            "imdb": imdb,
            "youtube": youtube,
            "sources": dict(record.given),
        }
        if decision := decisions.get(record.mid):
            told = {name: getattr(decision, name) for name in ("decision", "by", "date", "note")}
            told["verified"] = decision.is_verified(row["sha256"] if row else None)
            entries[str(number)][STAGE] = told
    write_json(path, {"trailers12k": entries})
    return len(rows)


def _place(row: Mapping[str, str], listed: Sequence[Mapping]) -> int:
    """Which of a movie's trailers was downloaded. Its number in the ledger is that of the time of
    the download: since then, one before it may have left the list."""
    address, number = row.get("address"), int(row["trailer"] or 0)
    places = [i for i, trailer in enumerate(listed) if address in addresses_of(trailer)]
    return number if number in places or not places else places[0]
