"""Downloads the files of one shard's movies, and records the open failures.

Writes records beside the files. Must not know what is downloaded.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from trailers12k.common.errors import Failure
from trailers12k.common.files import sha256_of
from trailers12k.common.fingerprint import fingerprint
from trailers12k.common.local_files import ABSENT, local_path, state_of
from trailers12k.common.movie import Movie
from trailers12k.common.vocabulary import OK
from trailers12k.downloads import retries
from trailers12k.downloads.settings import DownloadSettings
from trailers12k.downloads.stop_signal import SharedStopSignal, stop_reason
from trailers12k.jobs.ledger import LedgerRow
from trailers12k.jobs.runner import (
    Stage,
    StopSignal,
    Task,
    amend,
    process_together,
    read_record,
)

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


class Fetcher(Protocol):
    """Downloads the files of a stage."""

    def fetch(self, movie: Movie) -> dict[str, Any]:
        """Download a movie's file; returns the stage's ledger columns. Raises `Failure`."""


@dataclass(frozen=True)
class FileKind:
    """What a stage downloads.

    addresses: of a movie's file, the first one preferred. fetcher: makes what downloads a movie's
    file. question: the settings on which a file depends. tool: the program that downloads, with its
    version. refetch: see `Refetch`.
    """

    addresses: Callable[[Movie], tuple[str, ...]]
    fetcher: Callable[[Path, DownloadSettings, StopSignal], Fetcher]
    question: Mapping[str, object]
    tool: str
    refetch: "Refetch | None" = None


@dataclass(frozen=True)
class Refetch:
    """Files that are fetched once more, since another one may be better.

    Until that one is whole the movie keeps its file and its row, whatever becomes of the attempt.
    is_wanted: whether, by the row of a movie's file. fetch: by the stage's fetcher, of a movie with
    this row; returns the columns that change.
    """

    is_wanted: Callable[[LedgerRow], bool]
    fetch: Callable[[Any, Movie, LedgerRow], dict[str, Any]]


REFETCHED = "refetched"
"""Folder of the records of files that are fetched once more, beside those of the first time."""


def download(shard: Shard, kind: FileKind, settings: DownloadSettings) -> list[LedgerRow]:
    """Download the missing files of a shard; returns its ledger rows."""
    shard.folder.mkdir(parents=True, exist_ok=True)
    stop = SharedStopSignal(shard.folder)
    fetcher = kind.fetcher(shard.folder, settings, stop)
    movies = {movie.mid: movie for movie in shard.movies}
    addresses = {mid: kind.addresses(movie) for mid, movie in movies.items()}
    # Before the first attempt: a file that changes during it is tried again.
    files = {mid: _local_files(several) for mid, several in addresses.items()}
    is_due = retries.retry_rule(files.__getitem__, settings.retry_pause, settings.retry)

    def retry(row: LedgerRow, tried: float) -> bool:
        # A trailer other than the first, which is no longer listed.
        unlisted = row.get("trailer") and row["address"] not in addresses[row["mid"]]
        return bool(unlisted) or is_due(row, tried)

    tasks = _tasks(shard, addresses, files, kind, settings)
    again = _refetch_tasks(shard.folder, tasks, kind, settings)
    amended: dict[str, LedgerRow] = {}

    def work(mid: str, names: list[str]) -> dict[str, dict[str, Any] | Failure]:
        if "" in names:
            columns = fetcher.fetch(movies[mid])
            return {name: {} if name == REFETCHED else columns for name in names}
        record = read_record(shard.folder, mid)
        if kind.refetch and record:
            columns = kind.refetch.fetch(fetcher, movies[mid], record.row)
            amended[mid] = amend(shard.folder, mid, {"tool": kind.tool} | columns)
        return {REFETCHED: {}}

    stages = [Stage("", shard.folder, tasks, kind.tool)]
    if again:
        stages.append(Stage(REFETCHED, shard.folder / REFETCHED, again, kind.tool))
    made = process_together(stages, work, settings.parallel, "file", retry, stop)
    rows = [amended.get(row["mid"], row) for row in made[""]]
    retries.write_open(
        shard.folder,
        shard.name,
        shard.retry_round,
        rows,
        files.__getitem__,
        (shard.folder / REFETCHED, made.get(REFETCHED, [])),
    )
    if stop.reason:
        log.error("downloading is stopped: %s", stop_reason() or stop.reason)
    return [_with_decoder(row) for row in rows]


def _tasks(
    shard: Shard,
    addresses: Mapping[str, tuple[str, ...]],
    files: Mapping[str, retries.LocalFiles],
    kind: FileKind,
    settings: DownloadSettings,
) -> list[Task]:
    # The code is not part of the fingerprint: finished downloads stay when the code changes.
    # Records are beside the files, so another number of shards repeats no download.
    return [
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


def _refetch_tasks(
    folder: Path, tasks: Sequence[Task], kind: FileKind, settings: DownloadSettings
) -> list[Task]:
    """The tasks of the files that are fetched once more."""
    if kind.refetch is None:
        return []
    found = [(task, read_record(folder, task.mid)) for task in tasks if not task.skip]
    return [
        Task(task.mid, task.fingerprint, limits=settings.limits)
        for task, record in found
        if record and record.row["status"] == OK and kind.refetch.is_wanted(record.row)
    ]


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
