"""The user's own movie table: a CSV file.

Reads the file and rejects it at the first error. Must not know what is done with the movies.
"""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from trailers12k.common.errors import UserError
from trailers12k.common.movie import is_youtube_id
from trailers12k.common.vocabulary import GENRES
from trailers12k.movies.sources.records import Record

REQUIRED = ("mid", "title", "year", "genres")
OPTIONAL = ("youtube_id", "trailer_url", "poster_url", "other_trailers")


def read(
    settings: Mapping[str, str], earlier: Mapping[str, Record]
) -> tuple[list[Record], list[dict[str, Any]]]:
    """The movies of the CSV file `settings["path"]`, in its order, and no ledger.

    Raises `UserError` with the file, line, column, value, and the allowed values.
    """
    path = Path(settings["path"])
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            records = list(_parse(csv.DictReader(file, strict=True), path))
    except FileNotFoundError:
        raise UserError(
            f"movies: {path} does not exist; allowed: sample, trailers12k, imdb, tmdb, search, "
            "the path of a CSV file, or a list of these"
        ) from None
    except IsADirectoryError:
        raise UserError(f"movies: {path} is a folder; allowed: the path of a CSV file") from None
    except PermissionError:
        raise UserError(f"movies: {path}: permission denied; allowed: a readable file") from None
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}: byte {error.start} is not UTF-8; save the table as UTF-8"
        ) from None
    except csv.Error as error:
        raise UserError(f"{path}: not a CSV file: {error}") from None
    if not records:
        raise UserError(f"{path}: no movies; required columns: {', '.join(REQUIRED)}")
    return records, []


def _parse(reader: "csv.DictReader[str]", path: Path) -> Iterator[Record]:
    columns = reader.fieldnames or []
    missing = [name for name in REQUIRED if name not in columns]
    unknown = [name for name in columns if name not in REQUIRED + OPTIONAL]
    if missing or unknown:
        fault = f"{missing[0]!r} is missing" if missing else f"{unknown[0]!r} is unknown"
        raise UserError(
            f"{path}: the column {fault}; required: {', '.join(REQUIRED)}; "
            f"optional: {', '.join(OPTIONAL)}"
        )
    for row in reader:
        where = f"{path}, line {reader.line_num}"
        if None in row or None in row.values():
            raise UserError(
                f"{where}: the number of columns is not {len(columns)}, as in the first line"
            )
        yield _record({name: value.strip() for name, value in row.items()}, where)


def _record(row: Mapping[str, str], where: str) -> Record:
    genres = [genre for genre in row["genres"].split("|") if genre]
    for genre in genres:
        if genre not in GENRES:
            raise UserError(
                f"{where}: genres: {genre!r} is not allowed; allowed: {', '.join(GENRES)}, "
                "joined by |"
            )
    if len(set(genres)) < len(genres):
        raise UserError(
            f"{where}: genres: {row['genres']!r} is not allowed; allowed: each genre once, "
            "joined by |"
        )
    first = {"id": row.get("youtube_id", ""), "url": row.get("trailer_url", "")}
    others = [
        {"id": text} if is_youtube_id(text) else {"url": text}
        for text in row.get("other_trailers", "").split("|")
    ]
    trailers = [{name: text for name, text in each.items() if text} for each in (first, *others)]
    return Record(
        row["mid"],
        row["title"],
        row["year"],
        tuple(genre for genre in GENRES if genre in genres),
        tuple(filter(None, trailers)),
        row.get("poster_url", ""),
        where=where,
    )
