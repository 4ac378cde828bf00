"""Trailers12k's metadata as published, and the metadata.json that this project writes.

Reads an archive or a JSON file. Must not know what is done with the movies.
"""

import tarfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from trailers12k.common.bounded_files import (
    DamagedFile,
    is_absent,
    opened,
    parse_json,
    quoted,
    read_bytes,
    unpacked,
)
from trailers12k.common.errors import UserError
from trailers12k.common.movie import check_address
from trailers12k.common.text import one_line
from trailers12k.common.youtube import is_youtube_id
from trailers12k.movies.sources.odd_rows import OddRows
from trailers12k.movies.sources.records import Record, genres_of, unknown_genres

KEY = "sources.trailers12k.max_megabytes"
BYTES_OF_A_VALUE = 20
"""Least mean length of a value of the JSON text with its key; ours have 25 or more."""
MEMBERS = 100
"""Most files of an archive. The published one has one."""
MEMBER = "metadata.json"
LONGEST_KEY = 40
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
    settings: also `max_megabytes`, of the unpacked metadata, and `local_files`, whether trailers
        may be files of this machine.
    Raises `UserError` with file, and with the entry where most are odd.
    """
    path = Path(settings["files"]["metadata"])
    if is_absent(path):
        raise UserError(f"{path} does not exist; see sources.trailers12k.metadata")
    most = int(settings["max_megabytes"] * 1e6)
    data = _content(path, most)
    try:
        content = parse_json(data, path, most_values=most // BYTES_OF_A_VALUE)
    except UserError as error:
        raise UserError(f"{error}; {AGAIN}") from None
    del data
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


def _content(path: Path, most: int) -> bytes:
    """The JSON text of a file or an archive, of at most `most` bytes. Raises `UserError`."""
    if not path.name.endswith(".gz") and not path.name.endswith(".tgz"):
        return read_bytes(path, most, KEY)
    try:
        with unpacked(opened(path, most, KEY), most, path, KEY) as file:
            is_archive = path.name.endswith((".tar.gz", ".tgz"))
            return _member(file, path) if is_archive else file.read()
    except (DamagedFile, tarfile.TarError) as error:
        why = error.why if isinstance(error, DamagedFile) else error
        raise UserError(f"{path}: truncated or damaged ({why}); {AGAIN}") from None


def _member(file: BinaryIO, path: Path) -> bytes:
    """The file metadata.json of a tar archive, to whose end this reads."""
    data: bytes | None = None
    # Read from the stream without unpacking it to the disk: its names are not to be trusted.
    with tarfile.open(fileobj=file, mode="r|") as archive:
        for number, member in enumerate(archive):
            if number == MEMBERS:
                raise UserError(f"{path}: the archive has more than {MEMBERS} files; {AGAIN}")
            is_wanted = member.isfile() and Path(member.name).name == MEMBER
            if data is None and is_wanted and not member.issparse():
                extracted = archive.extractfile(member)
                assert extracted is not None  # nosec B101  # a regular file
                data = extracted.read()
    # gzip checks its checksum at the end of the file.
    while file.read(1 << 20):
        pass
    if data is None:
        raise UserError(f"{path}: the archive has no {MEMBER}; {AGAIN}")
    return data


def _record(key: str, content: object, path: Path, odd: OddRows) -> Record:
    where = f"{path}, entry {key if len(key) <= LONGEST_KEY else quoted(key, LONGEST_KEY)}"

    def typed(value: Any, kind: type, name: str) -> Any:
        """The value; an empty one of its kind for None. Raises `UserError`."""
        if value is not None and not isinstance(value, kind):
            raise UserError(
                f"{where}: {name}: {quoted(value, 80)} is not allowed; allowed: {ALLOWED[kind]}"
            )
        return kind() if value is None else value

    entry = typed(content, dict, "entry")
    imdb, youtube = (typed(entry.get(name), dict, name) for name in ("imdb", "youtube"))
    listed = typed(youtube.get("trailers"), list, "youtube.trailers")
    mid = f"tt{typed(imdb.get('id'), str, 'imdb.id')}"
    trailers = []
    for trailer in (typed(each, dict, "youtube.trailers") for each in listed):
        number = typed(trailer.get("id"), str, "youtube.trailers.id")
        if number and not is_youtube_id(number):
            odd.use_in_part(mid, f"{where}: youtube_id: {quoted(number)} is not allowed")
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
