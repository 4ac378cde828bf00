"""Trailers12k's own metadata, as it is published, and the metadata.json that this project writes.

Reads an archive or a JSON file. Must not know what is done with the movies.
"""

import gzip
import json
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from trailers12k.jobs import UserError
from trailers12k.sources.records import Record, genres_of

BROKEN = (EOFError, zlib.error, gzip.BadGzipFile, tarfile.TarError)
MEMBER = "metadata.json"


def read(settings: Mapping, known: Mapping[str, Record]) -> tuple[list[Record], list[dict]]:
    """The movies of `settings["files"]["metadata"]` (.tar.gz, .json.gz or .json), and no ledger.

    Sections and keys that are not known are kept as they are. Raises `UserError`: file and entry.
    """
    path = Path(settings["files"]["metadata"])
    try:
        content = json.loads(_text(path))
    except FileNotFoundError:
        raise UserError(f"{path} does not exist; see sources.trailers12k.metadata") from None
    except BROKEN as error:
        told = str(error).splitlines()[0]
        raise UserError(
            f"{path}: it is cut or damaged ({told}); delete it, and it is fetched again"
        ) from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: byte {error.start} is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise UserError(
            f"{path}: line {error.lineno}, column {error.colno} is not JSON: {error.msg}"
        ) from None
    entries = content.get("trailers12k") if isinstance(content, dict) else None
    if not isinstance(entries, dict) or not entries:
        raise UserError(f'{path}: no entries; they stand below the key "trailers12k"')
    return list(_records(entries, path)), []


def _text(path: Path) -> str:
    if path.name.endswith((".tar.gz", ".tgz", ".tar")):
        # Read out of the archive, never unpacked: its names are its own.
        with tarfile.open(path, "r:*") as archive:
            for member in archive:
                if member.isfile() and Path(member.name).name == MEMBER:
                    return archive.extractfile(member).read().decode("utf-8")
        raise UserError(f"{path}: there is no {MEMBER} in it")
    data = path.read_bytes()
    return (gzip.decompress(data) if path.name.endswith(".gz") else data).decode("utf-8")


def _records(entries: Mapping[str, object], path: Path) -> Iterator[Record]:
    for key, entry in entries.items():
        where = f"{path}, entry {key}"
        sections = entry if isinstance(entry, dict) else {}
        imdb, youtube = sections.get("imdb"), sections.get("youtube", {})
        if not isinstance(imdb, dict) or not isinstance(youtube, dict):
            raise UserError(f"{where}: it has no section imdb, or one is no section")
        trailers, genres = youtube.get("trailers") or [], imdb.get("genres") or []
        if not isinstance(trailers, list) or not all(isinstance(each, dict) for each in trailers):
            raise UserError(f"{where}: youtube.trailers: {trailers!r} is not a list of trailers")
        if not isinstance(genres, list):
            raise UserError(f"{where}: imdb.genres: {genres!r} is not a list")
        yield Record(
            f"tt{imdb.get('id', '')}",
            str(imdb.get("title") or ""),
            str(imdb.get("year") or ""),
            genres_of(genres, where),
            tuple(trailers),
            _poster(imdb),
            entry={
                name: content
                for name, content in sections.items()
                if isinstance(content, dict) and name != "sources"
            },
            where=where,
        )


def _poster(imdb: Mapping[str, object]) -> str:
    """The first URL under a key that says poster or cover: the published name is not known."""
    for key, value in imdb.items():
        names_one = any(word in key.lower() for word in ("poster", "cover"))
        if names_one and isinstance(value, str) and value.startswith(("http://", "https://")):
            return value
    return ""
