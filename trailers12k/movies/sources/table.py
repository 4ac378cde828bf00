"""The user's own movie table: a CSV file.

Reads the file and rejects it at the first error. Paths in it start in its own folder. Must not know
how the movies are used.
"""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from sys import intern
from typing import Any

from trailers12k.common.bounded_files import quoted, shown_path
from trailers12k.common.errors import UserError
from trailers12k.common.local_files import LocalFile, from_table, local_path
from trailers12k.common.movie import address_of, named_trailer
from trailers12k.common.user_table import read_user_table
from trailers12k.common.vocabulary import GENRES
from trailers12k.common.youtube import video_id
from trailers12k.movies.sources.records import Record

REQUIRED = ("mid", "title", "year", "genres")
LONGEST = 40
"""Characters of a misspelt genre of which a similar one is looked for."""
OPTIONAL = ("youtube_id", "trailer_url", "poster_url", "other_trailers")


def read(
    settings: Mapping[str, str], earlier: Mapping[str, Record]
) -> tuple[list[Record], list[dict[str, Any]]]:
    """The movies of the CSV file `settings["path"]`, in its order, and no ledger.

    Raises `UserError` with the file, line, column, value, and the allowed values.
    """
    path = Path(settings["path"])
    try:
        table = read_user_table(path, REQUIRED, OPTIONAL)
    except FileNotFoundError:
        raise UserError(
            f"movies: {shown_path(path)} does not exist; allowed: sample, trailers12k, imdb, "
            "tmdb, search, the path of a CSV file, or a list of these"
        ) from None
    file, folder, genres = shown_path(path), path.parent, dict[str, tuple[str, ...]]()
    records = [_record(row, file, line, folder, genres) for line, row in table.rows]
    if not records:
        raise UserError(f"{file}: no movies; required columns: {', '.join(REQUIRED)}")
    return records, []


def local_files(records: Iterable[Record]) -> Iterator[LocalFile]:
    """The local files that the records of tables name."""
    for record in records:
        addresses = [("other_trailers", trailer.get("url", "")) for trailer in record.trailers]
        if addresses and record.trailers[0].get("url"):
            addresses[0] = ("trailer_url", addresses[0][1])
        for column, address in (*addresses, ("poster_url", record.poster_url)):
            if file := local_path(address) if address else None:
                yield LocalFile(record.place, record.mid, column, file)


def _record(
    row: Mapping[str, str],
    file: str,
    line: int,
    folder: Path,
    genres: dict[str, tuple[str, ...]],
) -> Record:
    """The record of a row. genres: those of earlier rows by their text, which is rarely new."""
    text = row["genres"]
    if text not in genres:
        genres[text] = _genres(text, f"{file}, line {line}")
    return Record(
        row["mid"],
        row["title"],
        intern(row["year"]),
        genres[text],
        tuple(_trailers(row, folder)),
        from_table(row.get("poster_url", ""), folder),
        where=file,
        line=line,
    )


def _genres(text: str, where: str) -> tuple[str, ...]:
    """The genres of a row, in the order of `GENRES`. Raises `UserError`."""
    genres = [genre for genre in text.split("|") if genre]
    for genre in genres:
        if genre not in GENRES:
            near = get_close_matches(genre[:LONGEST].strip().lower(), GENRES, 1, cutoff=0.8)
            hint = f" (write {near[0]!r}, in lower case and without spaces)" if near else ""
            raise UserError(
                f"{where}: genres: {quoted(genre)} is not allowed; allowed: {', '.join(GENRES)}, "
                f"joined by |{hint}"
            )
    if len(set(genres)) < len(genres):
        raise UserError(
            f"{where}: genres: {quoted(text)} is not allowed; allowed: each genre once, joined by |"
        )
    return tuple(genre for genre in GENRES if genre in genres)


def _trailers(row: Mapping[str, str], folder: Path) -> Iterator[dict[str, str]]:
    """The trailers that a row names, the best first."""
    named, url = row.get("youtube_id", ""), row.get("trailer_url", "")
    first = {"id": video_id(named) or named} if named else {}
    if url:
        first["url"] = address_of(from_table(url, folder))
    if first:
        yield first
    for text in filter(None, map(str.strip, row.get("other_trailers", "").split("|"))):
        yield named_trailer(from_table(text, folder))
