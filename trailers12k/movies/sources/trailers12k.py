"""Trailers12k's metadata as published, and the metadata.json that this project writes.

Reads an archive or a JSON file. Must not know what is done with the movies.
"""

import gzip
import json
import tarfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from trailers12k.common.errors import UserError
from trailers12k.common.movie import check_address
from trailers12k.common.text import one_line
from trailers12k.common.youtube import is_youtube_id
from trailers12k.movies.sources.odd_rows import OddRows
from trailers12k.movies.sources.records import Record, genres_of, unknown_genres

BROKEN = (EOFError, zlib.error, gzip.BadGzipFile, tarfile.TarError)
MEMBER = "metadata.json"
OF_A_RUN = ("sources", "curation")
"""Sections that describe the run that wrote the file; this run writes its own."""
AGAIN = "delete the file to fetch it again"
ALLOWED: dict[type, str] = {dict: "an object, {...}", list: "a list, [...]", str: "a text"}


def read(
    settings: Mapping[str, Any], earlier: Mapping[str, Record]
) -> tuple[list[Record], list[dict[str, Any]]]:
    """The movies of `settings["files"]["metadata"]` (.tar.gz, .json.gz or .json).

    Sections and keys that this project does not use are kept as they are. Returns records, and a
    ledger of odd entries, whose usable values are used.
    settings: also `local_files`, whether trailers may be files of this machine.
    Raises `UserError` with file, and with the entry where most are odd.
    """
    path = Path(settings["files"]["metadata"])
    try:
        content = json.loads(_text(path))
    except FileNotFoundError:
        raise UserError(f"{path} does not exist; see sources.trailers12k.metadata") from None
    except BROKEN as error:
        raise UserError(f"{path}: truncated or damaged ({error}); {AGAIN}") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: byte {error.start} is not UTF-8; {AGAIN}") from None
    except json.JSONDecodeError as error:
        raise UserError(
            f"{path}: line {error.lineno}, column {error.colno} is not JSON: {error.msg}; {AGAIN}"
        ) from None
    except OSError as error:
        raise UserError(
            f"{path} cannot be read ({error.strerror}); see sources.trailers12k.metadata"
        ) from None
    entries = content.get("trailers12k") if isinstance(content, dict) else None
    if not isinstance(entries, dict) or not entries:
        raise UserError(f'{path}: no entries below the key "trailers12k"; {AGAIN}')
    odd = OddRows("Trailers12k")
    records = []
    for key, entry in entries.items():
        try:
            records.append(_record(key, entry, path, odd))
        except UserError as error:
            odd.leave_out(_mid(entry), error)
    records = odd.sound(records, bool(settings.get("local_files")))
    odd.rows = len(entries)
    odd.end()
    return records, odd.ledger


def _mid(entry: object) -> str:
    """The movie of an odd entry; empty where it cannot be read."""
    imdb = entry.get("imdb") if isinstance(entry, dict) else None
    return f"tt{imdb.get('id')}" if isinstance(imdb, dict) else ""


def _text(path: Path) -> str:
    if path.name.endswith((".tar.gz", ".tgz")):
        # Read from the archive without unpacking it: its names are not to be trusted.
        data: bytes | None = None
        with gzip.open(path) as file, tarfile.open(fileobj=file, mode="r:") as archive:
            for member in archive:
                if data is None and member.isfile() and Path(member.name).name == MEMBER:
                    extracted = archive.extractfile(member)
                    assert extracted is not None  # a regular file
                    data = extracted.read()
            # gzip checks its checksum at the end of the file.
            while file.read(1 << 20):
                pass
        if data is None:
            raise UserError(f"{path}: the archive has no {MEMBER}; {AGAIN}")
    else:
        data = path.read_bytes()
        if path.name.endswith(".gz"):
            data = gzip.decompress(data)
    return data.decode("utf-8")


def _record(key: str, content: object, path: Path, odd: OddRows) -> Record:
    where = f"{path}, entry {key}"

    def typed(value: Any, kind: type, name: str) -> Any:
        """The value; an empty one of its kind for None. Raises `UserError`."""
        if value is not None and not isinstance(value, kind):
            raise UserError(
                f"{where}: {name}: {value!r:.80} is not allowed; allowed: {ALLOWED[kind]}"
            )
        return kind() if value is None else value

    entry = typed(content, dict, "entry")
    imdb, youtube = (typed(entry.get(name), dict, name) for name in ("imdb", "youtube"))
    listed = typed(youtube.get("trailers"), list, "youtube.trailers")
    mid = f"tt{typed(imdb.get('id'), str, 'imdb.id')}"
    trailers = []
    for trailer in listed:
        number = typed(
            typed(trailer, dict, "youtube.trailers").get("id"), str, "youtube.trailers.id"
        )
        if number and not is_youtube_id(number):
            odd.use_in_part(mid, f"{where}: youtube_id: {number!r} is not allowed")
        else:
            trailers.append(trailer)
    genres, unknown = genres_of(typed(imdb.get("genres"), list, "imdb.genres"))
    if unknown:
        odd.use_in_part(mid, unknown_genres(unknown, where))
    return Record(
        mid,
        one_line(typed(imdb.get("title"), str, "imdb.title")),
        str(imdb.get("year") or ""),
        genres,
        tuple(trailers),
        _poster_url(imdb, where) or _poster_url(entry, where),
        {
            name: section
            for name, section in entry.items()
            if isinstance(section, dict) and name not in OF_A_RUN
        },
        where,
    )


def _poster_url(content: Mapping[str, Any], where: str) -> str:
    """The first URL whose key contains "poster" or "cover": published files use several keys."""
    for key, value in content.items():
        named = "poster" in key.lower() or "cover" in key.lower()
        if named and isinstance(value, str) and value.startswith(("http://", "https://")):
            # The user cannot correct a published URL, so an invalid one counts as a gap.
            with suppress(UserError):
                check_address(key, value, where, local_files=False)
                return value
    return ""
