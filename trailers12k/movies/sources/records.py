"""What a source knows of a movie, and how the knowledge of several is put together.

Reads and writes the collected records. Must not know any source.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from trailers12k.common.errors import UserError
from trailers12k.common.files import write_json
from trailers12k.common.movie import IMDB_GENRES, Movie, check_address, is_mid, is_youtube_id
from trailers12k.common.vocabulary import GENRES


@dataclass(frozen=True)
class Record:
    """What is known of one movie; empty where nothing is.

    genres: of `movies.GENRES`, in their order.
    trailers: the best first, each with an `id` (YouTube's) or a `url`, and further keys of its
        source, such as `dims`.
    entry: what a source has published, section by section (`imdb`, `youtube`, `tmdb`), kept as it
        is for metadata.json.
    where: the file and the row, for whoever is to mend it.
    given: which source gave which field.
    """

    mid: str
    title: str = ""
    year: str = ""
    genres: tuple[str, ...] = ()
    trailers: tuple[Mapping, ...] = ()
    poster_url: str = ""
    entry: Mapping[str, Mapping] = field(default_factory=dict)
    where: str = ""
    given: Mapping[str, str] = field(default_factory=dict)


def combine(
    known: dict[str, Record],
    source: str,
    found: Iterable[Record],
    adds: bool,
    local_files: bool = False,
) -> None:
    """Fill the gaps of `known`, mid -> record, with what a source has found.

    adds: whether movies that are not known yet are taken too.
    local_files: whether trailers and posters may be files of this machine.
    Raises `UserError` when the source names a movie twice, or one whose mid is none.
    """
    seen: dict[str, str] = {}
    for record in found:
        check(record, local_files)
        if record.mid in seen:
            raise UserError(
                f"{record.where}: mid: {record.mid!r} stands in {seen[record.mid]} already; "
                "allowed: each movie once"
            )
        seen[record.mid] = record.where.rpartition(", ")[2]
        old = known.get(record.mid)
        if old is None and not adds:
            continue
        there = {
            "title": record.title,
            "year": record.year,
            "genres": record.genres,
            "trailers": tuple(t for t in record.trailers if t.get("id") or t.get("url")),
            "poster_url": record.poster_url,
        }
        if old is None:
            given = {name: source for name, value in there.items() if value}
            known[record.mid] = replace(record, trailers=there["trailers"], given=given)
            continue
        gaps = {name: value for name, value in there.items() if value and not getattr(old, name)}
        entry = dict(record.entry)
        for section, content in old.entry.items():
            entry[section] = {**entry.get(section, {}), **content}
        given = {**old.given, **dict.fromkeys(gaps, source)}
        known[record.mid] = replace(old, **gaps, entry=entry, given=given)


def check(record: Record, local_files: bool = False) -> None:
    """Refuse what cannot be a movie. Raises `UserError`: where, what, and what is allowed."""

    def refuse(name: str, value: object, allowed: str) -> None:
        raise UserError(f"{record.where}: {name}: {value!r} is not allowed; allowed: {allowed}")

    if not is_mid(record.mid):
        refuse("mid", record.mid, "tt and 7 or 8 digits")
    if record.title and not record.title.isprintable():
        refuse("title", record.title, "printable text")
    if record.year and not (
        len(record.year) == 4 and record.year.isascii() and record.year.isdigit()
    ):
        refuse("year", record.year, "four digits, or empty")
    for trailer in record.trailers:
        if trailer.get("id") and not is_youtube_id(trailer["id"]):
            refuse("youtube_id", trailer["id"], "the 11 characters of a YouTube id, or empty")
        check_address("trailer_url", trailer.get("url", ""), record.where, local_files)
    check_address("poster_url", record.poster_url, record.where, local_files)


def check_complete(record: Record) -> None:
    """Refuse a movie that no source gave a title or a genre. Raises `UserError`."""
    for name, allowed in (
        ("title", "printable text, not empty"),
        ("genres", "at least one genre, each once, joined by |"),
    ):
        if not getattr(record, name):
            raise UserError(f"{record.where}: {name}: '' is not allowed; allowed: {allowed}")


def genres_of(names: Iterable[object], where: str) -> tuple[str, ...]:
    """Our genres of IMDb's names, in our order; names that Trailers12k does not label are left out.

    Raises `UserError` at a name that IMDb does not have.
    """
    known = {name.lower(): ours for name, ours in IMDB_GENRES.items()}
    found = set()
    for name in names:
        if not isinstance(name, str) or name.lower() not in known:
            raise UserError(
                f"{where}: genres: {name!r} is not allowed; allowed: {', '.join(IMDB_GENRES)}"
            )
        found.add(known[name.lower()])
    return tuple(genre for genre in GENRES if genre in found)


def movie_of(record: Record) -> Movie:
    """The flat view of a record."""
    first: Mapping = record.trailers[0] if record.trailers else {}
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


def write(path: str | Path, records: Sequence[Record]) -> None:
    """Write records as JSON."""
    write_json(path, [asdict(record) for record in records])


def read(path: str | Path) -> list[Record]:
    """The records that `write` wrote."""
    rows = json.loads(Path(path).read_text(encoding="utf-8"))
    return [
        Record(**row | {name: tuple(row[name]) for name in ("genres", "trailers")}) for row in rows
    ]
