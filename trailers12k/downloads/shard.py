"""Downloads the movies of one shard and writes what is still open.

Writes records beside the files. Must not know what is downloaded.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from trailers12k.common.files import sha256_of
from trailers12k.common.fingerprint import fingerprint
from trailers12k.common.movie import Movie
from trailers12k.downloads import http as web
from trailers12k.downloads import retries, stop_signal
from trailers12k.jobs import runner as shards
from trailers12k.jobs.runner import StopSignal, Task

log = logging.getLogger(__name__)


def _shard(
    fetcher: Callable[[Path, Mapping, StopSignal], Any],
    addresses: Mapping[str, Sequence[str]],
    asked: Mapping,
    tool: str,
    movies: Sequence[Movie],
    settings: Mapping,
    folder: Path,
    shard: str,
    number: int,
) -> list[dict]:
    """Fetch what is missing; then write what is left open for later runs (`retries`).

    asked: the settings on which a file depends. number: of this round of tries.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stop = stop_signal.SharedStopSignal(folder)
    fetch = fetcher(folder, settings, stop).fetch
    by_mid = {movie.mid: movie for movie in movies}
    files = {mid: web.local_path(several[0]) for mid, several in addresses.items() if several}

    due = retries.again(files.get, settings["retry_pause"], settings["retry"])

    def again(row: Mapping, tried: float) -> bool:
        # Another trailer than the first, which is listed no more.
        dropped = row.get("trailer") and row["address"] not in addresses[row["mid"]]
        return bool(dropped) or due(row, tried)

    # The code is no part of the fingerprint: what was fetched is kept, whatever becomes of ours.
    # Records lie beside the files, not by shard: another number of shards fetches nothing again.
    tasks = [
        Task(
            mid,
            fingerprint(address=several[0], sha256=_content(files[mid]), **asked)
            if several
            else "",
            skip="" if several else "no_address",
            others=several[1:],
        )
        for mid, several in addresses.items()
    ]
    rows = shards.process(
        tasks,
        folder,
        lambda mid: fetch(by_mid[mid]),
        settings["parallel"],
        unit="file",
        retry=again,
        stop=stop,
        tool=tool,
    )
    retries.write_open(folder, shard, number, rows, files.get)
    if stop.reason:
        log.error("downloading is stopped: %s", stop_signal.stop_reason() or stop.reason)
    return rows


def _content(path: Path | None) -> str | None:
    """The hash of a local file, which may change without its name; None where it is unreadable."""
    with suppress(OSError):
        return sha256_of(path) if path and path.is_file() else None
    return None
