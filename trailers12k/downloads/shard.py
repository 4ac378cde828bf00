"""Downloads the files of one shard's movies, and records the open failures.

Writes records beside the files. Must not know what is downloaded.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trailers12k.common.files import sha256_of
from trailers12k.common.fingerprint import fingerprint
from trailers12k.common.local_files import ABSENT, local_path, state_of
from trailers12k.common.movie import Movie
from trailers12k.common.vocabulary import OK
from trailers12k.downloads import retries
from trailers12k.downloads.settings import DownloadSettings
from trailers12k.downloads.stop_signal import SharedStopSignal, stop_reason
from trailers12k.jobs.ledger import LedgerRow
from trailers12k.jobs.runner import StopSignal, Task, process, read_record

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Shard:
    """The movies of a shard in a stage of downloads.

    folder: for the files and records. name: of the shard. retry_round: the number of this one.
    """

    movies: Sequence[Movie]
    folder: Path
    name: str
    retry_round: int = 0


@dataclass(frozen=True)
class FileKind:
    """What a stage downloads.

    addresses: of a movie's file, the first one preferred. fetch: a function that makes the function
    which downloads a movie's file, returning the stage's ledger columns. question: the settings on
    which a file depends. tool: the program that downloads, with its version.
    """

    addresses: Callable[[Movie], tuple[str, ...]]
    fetch: Callable[[Path, DownloadSettings, StopSignal], Callable[[Movie], dict[str, Any]]]
    question: Mapping[str, object]
    tool: str


def download(shard: Shard, kind: FileKind, settings: DownloadSettings) -> list[LedgerRow]:
    """Download the missing files of a shard; returns its ledger rows."""
    shard.folder.mkdir(parents=True, exist_ok=True)
    stop = SharedStopSignal(shard.folder)
    fetch = kind.fetch(shard.folder, settings, stop)
    movies = {movie.mid: movie for movie in shard.movies}
    addresses = {mid: kind.addresses(movie) for mid, movie in movies.items()}
    # Before the first attempt: a file that changes during it is tried again.
    files = {mid: _local_files(several) for mid, several in addresses.items()}
    is_due = retries.retry_rule(files.__getitem__, settings.retry_pause, settings.retry)

    def retry(row: LedgerRow, tried: float) -> bool:
        # A trailer other than the first, which is no longer listed.
        unlisted = row.get("trailer") and row["address"] not in addresses[row["mid"]]
        return bool(unlisted) or is_due(row, tried)

    # The code is not part of the fingerprint: finished downloads stay when the code changes.
    # Records are beside the files, so another number of shards repeats no download.
    tasks = [
        Task(
            mid,
            fingerprint(
                address=several[0], sha256=_hash_of(several[0], shard.folder, mid), **kind.question
            )
            if several
            else "",
            skip="" if several else "no_address",
            others=(*several[1:], *files[mid].states.values()),
            limits=settings.limits,
        )
        for mid, several in addresses.items()
    ]
    rows = process(
        tasks,
        shard.folder,
        lambda mid: fetch(movies[mid]),
        settings.parallel,
        unit="file",
        retry=retry,
        stop=stop,
        tool=kind.tool,
    )
    retries.write_open(shard.folder, shard.name, shard.retry_round, rows, files.__getitem__)
    if stop.reason:
        log.error("downloading is stopped: %s", stop_reason() or stop.reason)
    return [_with_decoder(row) for row in rows]


def _with_decoder(row: LedgerRow) -> LedgerRow:
    """A row whose record may be from a version that called the decoder a reader."""
    return {"decoder" if name == "reader" else name: value for name, value in row.items()}


def _local_files(addresses: Iterable[str]) -> retries.LocalFiles:
    paths = list(map(local_path, addresses))
    states = {path.as_posix(): state_of(path) for path in paths if path is not None}
    return retries.LocalFiles(states, alone=bool(paths) and None not in paths)


def _hash_of(address: str, folder: Path, mid: str) -> str | None:
    """The sha256 of a local file, since it may change under its name; None if unreadable.

    Of a file that was removed after it was copied, the copy's: the copy stays.
    """
    path = local_path(address)
    if path is None:
        return None
    if state_of(path) == ABSENT and (record := read_record(folder, mid)):
        return record.row.get("sha256") if record.row["status"] == OK else None
    with suppress(OSError):
        return sha256_of(path) if path.is_file() else None
    return None
