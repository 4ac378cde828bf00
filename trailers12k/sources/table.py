"""The user's own movie table: a CSV file.

Reads the file and refuses it at its first fault. Must not know what is done with the movies.
"""

import csv
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from trailers12k.jobs import UserError
from trailers12k.movies import GENRES, Movie, is_mid

REQUIRED = ("mid", "title", "year", "genres")
OPTIONAL = ("youtube_id", "trailer_url", "poster_url")
YOUTUBE_ID = re.compile(r"[A-Za-z0-9_-]{11}", re.ASCII)
YEAR = re.compile(r"\d{4}|", re.ASCII)
SCHEMES = ("http", "https", "file")


def read(path: str | Path) -> list[Movie]:
    """The movies of a CSV file, sorted by mid.

    Raises `UserError`: one line that names the file, the line, the column, the value, and what is
    allowed.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            movies = _parse(csv.DictReader(file, strict=True), path)
    except FileNotFoundError:
        raise UserError(
            f"movies: {path} does not exist; allowed: sample, or the path of a CSV file"
        ) from None
    except IsADirectoryError:
        raise UserError(f"movies: {path} is a folder; allowed: the path of a CSV file") from None
    except PermissionError:
        raise UserError(f"movies: {path} may not be read; allowed: a file you may read") from None
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}: byte {error.start} is not UTF-8; save the table as UTF-8"
        ) from None
    except csv.Error as error:
        raise UserError(f"{path}: not a CSV file: {error}") from None
    if not movies:
        raise UserError(f"{path}: no movies; a row has the columns {', '.join(REQUIRED)}")
    return sorted(movies, key=lambda movie: movie.mid)


def _parse(reader: csv.DictReader, path: Path) -> list[Movie]:
    columns = reader.fieldnames or []
    missing = [name for name in REQUIRED if name not in columns]
    unknown = [name for name in columns if name not in REQUIRED + OPTIONAL]
    if missing or unknown:
        fault = f"{missing[0]!r} is missing" if missing else f"{unknown[0]!r} is unknown"
        raise UserError(
            f"{path}: the column {fault}; required: {', '.join(REQUIRED)}; "
            f"optional: {', '.join(OPTIONAL)}"
        )
    movies, lines = [], {}
    for row in reader:
        where = f"{path}, line {reader.line_num}"
        if None in row or None in row.values():
            raise UserError(f"{where}: it has not {len(columns)} columns as the first line has")
        movie = _movie({name: value.strip() for name, value in row.items()}, where)
        if movie.mid in lines:
            raise UserError(
                f"{where}: mid: {movie.mid!r} stands in line {lines[movie.mid]} already; "
                "allowed: each movie once"
            )
        lines[movie.mid] = reader.line_num
        movies.append(movie)
    return movies


def _movie(row: Mapping[str, str], where: str) -> Movie:
    def refuse(column: str, allowed: str, value: str | None = None) -> None:
        value = row[column] if value is None else value
        raise UserError(f"{where}: {column}: {value!r} is not allowed; allowed: {allowed}")

    if not is_mid(row["mid"]):
        refuse("mid", "tt and 7 or 8 digits")
    if not row["title"] or not row["title"].isprintable():
        refuse("title", "printable text, not empty")
    if not YEAR.fullmatch(row["year"]):
        refuse("year", "four digits, or empty")
    genres = tuple(genre for genre in row["genres"].split("|") if genre)
    for genre in genres:
        if genre not in GENRES:
            refuse("genres", f"{', '.join(GENRES)}, joined by |", genre)
    if not genres or len(set(genres)) < len(genres):
        refuse("genres", "at least one genre, each once, joined by |")
    if row.get("youtube_id") and not YOUTUBE_ID.fullmatch(row["youtube_id"]):
        refuse("youtube_id", "the 11 characters of a YouTube id, or empty")
    for column in ("trailer_url", "poster_url"):
        if url := row.get(column):
            try:
                scheme = urlsplit(url).scheme
            except ValueError:  # brackets that hold no address
                scheme = "none"
            if not url.isprintable() or (scheme and scheme not in SCHEMES):
                refuse(column, f"a URL ({', '.join(SCHEMES)}), the path of a file, or empty")
    optional = {name: row.get(name, "") for name in OPTIONAL}
    in_order = tuple(genre for genre in GENRES if genre in genres)
    return Movie(row["mid"], row["title"], row["year"], in_order, **optional)
