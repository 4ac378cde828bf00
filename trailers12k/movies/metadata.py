"""metadata.json, in the structure of Trailers12k's own metadata.

Reads rows of the trailers' ledger; writes metadata.json. Must not know videos.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from trailers12k.common.files import write_json
from trailers12k.common.movie import address_of, addresses_of
from trailers12k.common.vocabulary import OK
from trailers12k.movies.curation import STAGE, AppliedDecisions, Decision
from trailers12k.movies.sources.records import Record


def write_metadata(
    path: str | Path,
    records: Sequence[Record],
    trailers: Iterable[Mapping[str, str]],
    decided: AppliedDecisions = (),
) -> int:
    """Write metadata.json in Trailers12k's structure; returns the number of movies with a trailer.

    Published sections are kept as they are and their gaps are filled. An entry's section `sources`
    holds the origin of its fields, and `curation` a person's decision, if there is one.

    trailers: rows of the trailers' ledger. The downloaded trailer comes first in its entry, since
        readers take the first; its `dims` is (seconds, height, width) of the file.
    """
    decisions = {decision.mid: decision for decision, _ in decided}
    rows = {row["mid"]: row for row in trailers if row["status"] == OK}
    entries = {
        str(number): _entry(record, rows.get(record.mid), decisions.get(record.mid))
        for number, record in enumerate(records, start=1)
    }
    write_json(path, {"trailers12k": entries})
    return len(rows)


def _entry(
    record: Record, row: Mapping[str, str] | None, decision: Decision | None
) -> dict[str, Any]:
    """A movie's entry. row: of the trailers' ledger, for a downloaded trailer."""
    imdb = dict(record.entry.get("imdb", {}))
    fields_of_record = {
        "id": record.mid.removeprefix("tt"),
        "title": record.title,
        "year": record.year,
        "genres": list(record.genres),
    }
    imdb |= {name: value for name, value in fields_of_record.items() if not imdb.get(name)}
    if record.poster_url and record.poster_url not in imdb.values():
        imdb["poster_url"] = record.poster_url
    listed = [{"id": "", **trailer} for trailer in record.trailers] or [{"id": ""}]
    if row:
        used = listed.pop(_position(row, listed))
        used["dims"] = [float(row["duration"]), int(row["height"]), int(row["width"])]
        listed.insert(0, used)
    entry = {
        **record.entry,
        "imdb": imdb,
        "youtube": {**record.entry.get("youtube", {}), "trailers": listed},
        "sources": dict(record.origin),
    }
    if decision:
        entry[STAGE] = {
            **{name: getattr(decision, name) for name in ("decision", "by", "date", "note")},
            "verified": decision.is_verified(row["sha256"] if row else None),
        }
    return entry


def _position(row: Mapping[str, str], listed: Sequence[Mapping[str, Any]]) -> int:
    """The position of the downloaded trailer in a movie's list.

    The ledger holds the position at the time of the download; trailers before it may have left the
    list since then.
    """
    address, number = address_of(row.get("address") or ""), int(row["trailer"] or 0)
    places = [i for i, trailer in enumerate(listed) if address in addresses_of(trailer)]
    return number if number in places or not places else places[0]
