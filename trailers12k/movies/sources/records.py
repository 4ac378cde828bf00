"""What the sources state about movies, as records, and how records of several sources combine.

Reads and writes the collected records. Must not know any source.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from operator import attrgetter
from pathlib import Path
from typing import Any, NoReturn

from trailers12k.common.bounded_files import quoted
from trailers12k.common.errors import UserError
from trailers12k.common.files import read_json, reading, write_json
from trailers12k.common.movie import (
    IMDB_GENRES,
    Movie,
    check_address,
    check_trailer,
    distinct_trailers,
    is_mid,
)
from trailers12k.common.text import is_printable
from trailers12k.common.vocabulary import GENRES
from trailers12k.common.youtube import is_youtube_id

FIELDS = ("title", "year", "genres", "trailers", "poster_url")
"""The fields of a record that a later source can fill."""
_values = attrgetter(*FIELDS)


@dataclass(frozen=True, slots=True)
class Record:
    """One movie as its sources describe it; fields are empty where no source has a value.

    genres: of `GENRES`, in their order.
    trailers: the best first, each with an `id` (YouTube's) or a `url`, and further keys of its
        source, such as `dims`.
    entry: what a source has published, section by section (`imdb`, `youtube`, `tmdb`), unchanged
        in metadata.json.
    where: the file, or the file and the row, for error messages; then `line` is 0.
    origin: field -> the source of its value.
    """

    mid: str
    title: str = ""
    year: str = ""
    genres: tuple[str, ...] = ()
    trailers: tuple[Mapping[str, Any], ...] = ()
    poster_url: str = ""
    entry: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    where: str = ""
    origin: Mapping[str, str] = field(default_factory=dict)
    line: int = 0

    @property
    def place(self) -> str:
        """The file and the row. No field, since it would be the longest text of a million rows."""
        return f"{self.where}, line {self.line}" if self.line else self.where


def combine(
    records: dict[str, Record],
    source: str,
    additions: Iterable[Record],
    adds: bool,
    local_files: bool = False,
) -> None:
    """Fill the gaps of `records`, mid -> record, from the records of a further source.

    adds: whether the source adds movies, or only completes those of earlier sources.
    local_files: whether trailers and posters may be files of this machine.
    Raises `UserError` for an invalid record and for a movie that the source names twice.
    """
    before = set(records)
    places: dict[str, str] = {}  # Of the records that are not in `records` after all.
    # A million movies must not have a million equal dicts.
    origins: dict[tuple[str, ...], Mapping[str, str]] = {}
    for record in additions:
        check(record, local_files)
        own = record.mid not in before and records.get(record.mid)
        if place := own.place if own else places.get(record.mid):
            raise UserError(
                f"{record.place}: mid: {quoted(record.mid)} is already in "
                f"{place.rpartition(', ')[2]}; allowed: each movie once"
            )
        if record.mid in before or not adds:
            places[record.mid] = record.place
        # A trailer may have neither id nor url in published metadata.
        trailers = distinct_trailers(record.trailers)
        if record.mid in records:
            other = replace(record, trailers=trailers)
            records[record.mid] = _filled(records[record.mid], other, source)
        elif adds:
            values = zip(FIELDS, _values(record), strict=True)
            filled = tuple(
                name for name, value in values if value and (trailers or name != "trailers")
            )
            origin = origins.setdefault(filled, dict.fromkeys(filled, source))
            # Faster than `replace`, which matters with 120,000 movies.
            records[record.mid] = Record(
                record.mid,
                record.title,
                record.year,
                record.genres,
                trailers,
                record.poster_url,
                record.entry,
                record.where,
                origin,
                record.line,
            )


def _filled(record: Record, other: Record, source: str) -> Record:
    """A record whose empty fields come from another one, which is the source's."""
    gaps: dict[str, Any] = {
        name: getattr(other, name)
        for name in FIELDS
        if getattr(other, name) and not getattr(record, name)
    }
    entry = dict(other.entry)
    for section, content in record.entry.items():
        entry[section] = {**entry.get(section, {}), **content}
    origin = {**record.origin, **dict.fromkeys(gaps, source)}
    return replace(record, **gaps, entry=entry, origin=origin)


def check(record: Record, local_files: bool = False) -> None:
    """Refuse a record with invalid values.

    Raises `UserError`: where, which field, its value, and what is allowed.
    """

    def refuse(name: str, value: object, allowed: str) -> NoReturn:
        raise UserError(
            f"{record.place}: {name}: {quoted(value)} is not allowed; allowed: {allowed}"
        )

    if not is_mid(record.mid):
        refuse("mid", record.mid, "tt and 7 or 8 digits")
    if record.title and not is_printable(record.title):
        refuse("title", record.title, "printable text")
    if record.year and not (
        len(record.year) == 4 and record.year.isascii() and record.year.isdigit()
    ):
        refuse("year", record.year, "four digits, or empty")
    for trailer in record.trailers:
        if trailer.get("id") and not is_youtube_id(trailer["id"]):
            refuse("youtube_id", trailer["id"], "the 11 characters of a YouTube id, or empty")
        check_trailer("trailer_url", trailer.get("url", ""), record.place, local_files)
    check_address("poster_url", record.poster_url, record.place, local_files)


def check_complete(record: Record) -> None:
    """Refuse a movie without a title or without a genre. Raises `UserError`."""
    for name, allowed in (
        ("title", "printable text, not empty"),
        ("genres", "at least one genre, each once, joined by |"),
    ):
        if not getattr(record, name):
            raise UserError(f"{record.place}: {name}: '' is not allowed; allowed: {allowed}")


def genres_of(names: Iterable[object]) -> tuple[tuple[str, ...], list[object]]:
    """The genres of `GENRES`, in their order, for IMDb's names; and the names it does not have.

    IMDb's other genres are left out.
    """
    ours = {name.lower(): genre for name, genre in IMDB_GENRES.items()}
    genres, unknown = set(), []
    for name in names:
        if isinstance(name, str) and name.lower() in ours:
            genres.add(ours[name.lower()])
        else:
            unknown.append(name)
    return tuple(genre for genre in GENRES if genre in genres), unknown


def unknown_genres(names: Sequence[object], where: str) -> str:
    """The message about names that are no genres of IMDb."""
    listed = quoted(names[0]) if len(names) == 1 else quoted(list(names))
    return f"{where}: genres: {listed} is not allowed; allowed: {', '.join(IMDB_GENRES)}"


def movie_of(record: Record) -> Movie:
    """The flat view of a record, a row of the movie table."""
    first: Mapping[str, Any] = record.trailers[0] if record.trailers else {}
    others = [trailer.get("url") or trailer["id"] for trailer in record.trailers[1:]]
    return Movie(
        record.mid,
        record.title,
        record.year,
        record.genres,
        first.get("id", ""),
        first.get("url", ""),
        record.poster_url,
        tuple(others),
    )


def write_records(path: str | Path, records: Sequence[Record]) -> None:
    """Write records as a JSON list, one object with the fields of `Record` each."""
    rows = [{**asdict(record), "where": record.place} for record in records]
    for row in rows:
        del row["line"]
    write_json(path, rows)


def read_records(path: str | Path) -> list[Record]:
    """The records of a file that `write_records` wrote. Raises `UserError` for another one."""
    with reading(path):
        rows = read_json(path, list)
        records = [
            Record(**row | {name: tuple(row[name]) for name in ("genres", "trailers")})
            for row in rows
        ]
        if repeated := [mid for mid, count in Counter(r.mid for r in records).items() if count > 1]:
            raise ValueError(f"{quoted(repeated[0])} is in it twice")
        return records
