"""Trailers with yt-dlp and posters over HTTP: every file is verified, every failure has a reason.

Writes `FOLDER/MID.EXT`, and a record beside it. Must not know features.
"""

import io
import logging
import re
import shutil
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from trailers12k.common.errors import Cancelled, Failure, Stop, UserError, _disk_failure
from trailers12k.common.files import PARTIAL, sha256_of
from trailers12k.common.fingerprint import fingerprint
from trailers12k.common.movie import Movie
from trailers12k.common.text import one_line
from trailers12k.downloads import http as web
from trailers12k.downloads import retries
from trailers12k.downloads.pacing import HostRateLimiter, _pause, wait
from trailers12k.downloads.shard import _shard
from trailers12k.downloads.youtube import ANY_FORMAT, FORMAT, _Quiet
from trailers12k.jobs.reasons import PERMANENT, STOPS, classify_error
from trailers12k.jobs.runner import StopSignal
from trailers12k.video import probe as probe_

log = logging.getLogger(__name__)

TRAILER_COLUMNS = [
    "file",
    "trailer",
    "address",
    "title",
    "format",
    "duration",
    "height",
    "width",
    "fps",
    "frames",
    "corrupt",
    "codec",
    "decoder",
]
"""trailer: its place in the movie's list of trailers, 0 for the first; address: where it was;
title: what the site calls it, empty where no site does, or in records from before this column."""


SUFFIXES = (".mp4", ".m4v", ".mov", ".webm", ".mkv", ".flv", ".avi", ".ogv", ".3gp", ".ts", ".mpg")

GONE = (*PERMANENT, "unavailable")
"""Reasons to try another trailer of the movie."""
CONTINUED = ("network", "server_error", "forbidden", *STOPS)
"""Reasons after which what was begun is worth keeping: the next try goes on with it."""

GAVE_UP = re.compile(r"\. Giving up after \d+ retries$")
"""The end of a message of yt-dlp after its own retries."""


class TrailerFetcher:
    """Downloads and verifies trailers: one yt-dlp client for each thread and kind of site.

    settings: `short_side`, `max_megabytes`, `retries`, `timeout` (seconds), `pause` (for
        `HostRateLimiter`) and `cookies` (a file in Netscape's format, or None).
    """

    def __init__(self, folder: Path, settings: Mapping, stop: StopSignal):
        self.folder = folder
        self.settings = settings
        self.stop = stop
        self.limiter = HostRateLimiter(settings["pause"], stop)
        self.limit = int(settings["max_megabytes"] * 1e6)
        # A text, since yt-dlp would write the site's new cookies into the user's file.
        cookies = settings["cookies"]
        self.cookies = Path(cookies).read_text(encoding="utf-8") if cookies else None
        self.local = threading.local()

    def fetch(self, movie: Movie) -> dict:
        """Fetch a movie's trailer, or another one when that is gone for good; its ledger columns.

        Raises `Failure`, `Stop`, `Cancelled`.
        """
        gone: list[tuple[str, Failure]] = []
        for number, address in enumerate(movie.trailer_addresses):
            try:
                row = self._fetch(movie, address)
            except Failure as failure:
                gone.append((f"trailers[{number}] {failure}", failure))
                if failure.reason in GONE:
                    continue
                break
            told = "; ".join(words for words, _ in gone)
            return row | {"trailer": number, "address": address, "detail": told}
        # If anything can be cured by trying again, that is the movie's reason.
        failures = [failure for _, failure in gone]
        failure = min(failures, key=lambda f: (f.reason in GONE, f.reason in PERMANENT))
        if len(gone) == 1:
            raise failure
        raise type(failure)(failure.reason, "; ".join(words for words, _ in gone))

    def _fetch(self, movie: Movie, address: str) -> dict:
        """Download one address, trying again at once where that makes sense. Raises `Failure`."""
        url = address if urlsplit(address).scheme else Path(address).resolve().as_uri()
        # What was begun is continued, but only what was begun at this address.
        partial = self.folder / f"{movie.mid}.{fingerprint(address=url)}{PARTIAL}"
        for other in self.folder.glob(f"{movie.mid}.*{PARTIAL}"):
            if other != partial and other.is_dir():
                shutil.rmtree(other)
        most = {
            "server_error": self.settings["retries"],
            "network": self.settings["retries"],
            "forbidden": min(3, self.settings["retries"]),
            "bad_partial": 1,
            "no_format": 1,
        }
        failures: list[str] = []
        while True:
            try:
                with self.limiter.turn(url):
                    return self._download(movie, url, partial, "no_format" in failures)
            except Failure as failure:
                reason = failure.reason
                if reason not in CONTINUED or reason == "local_io":
                    shutil.rmtree(partial, ignore_errors=True)
                detail = _relative(failure.detail, url, address)
                # yt-dlp has tried again itself, and says so.
                if failures.count(reason) >= most.get(reason, 0) or GAVE_UP.search(detail):
                    raise (Stop if reason in STOPS else Failure)(reason, detail) from failure
                failures.append(reason)
                if reason in CONTINUED:
                    wait(_pause(len(failures) - 1), self.stop)

    def _download(self, movie: Movie, url: str, partial: Path, any_format: bool) -> dict:
        """One call of yt-dlp, and the verification of what it brought. Raises `Failure`."""
        # Imported here: it costs half a second that no other stage should pay.
        from yt_dlp.utils import DownloadCancelled, YoutubeDLError

        if path := web.local_path(url):
            # yt-dlp's messages about a local file repeat the words in its name.
            with web.opened_locally(path, path.as_posix()) as file:
                if not file.read(1):
                    raise Failure("empty", f"{path.as_posix()} has no bytes")
        client = self._client(url, any_format)
        try:
            # A URL that names a file needs no search among a thousand sites.
            direct = Path(urlsplit(url).path).suffix in SUFFIXES
            info = client.extract_info(
                url,
                ie_key="Generic" if direct else None,
                extra_info={"partial_folder": partial.name},
            )
        except DownloadCancelled as error:
            if self.stop.reason:
                raise Cancelled from error
            raise Failure("too_large", f"more than {self.limit / 1e6:g} MB") from error
        except YoutubeDLError as error:
            message = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).removeprefix("ERROR: ")
            raise Failure(classify_error(error, url), message) from error
        except OSError as error:
            raise _disk_failure(error) from error
        except Exception as error:
            # It lets faults of its own through, such as a ValueError for a link `http://[`.
            raise Failure("extractor_broken", f"{type(error).__name__}: {error}") from error
        # A page with several videos gives a list, of which the first was asked for. A video that
        # was refused by its format raises nothing: look at what is there.
        info = next(iter((info or {}).get("entries") or []), info) or {}
        downloads = info.get("requested_downloads") or []
        if len(downloads) != 1 or not Path(downloads[0]["filepath"]).is_file():
            raise Failure("no_format", f"{len(downloads)} files came of it")
        path = Path(downloads[0]["filepath"])
        _check(info, downloads[0], path, partial, url)
        probe = probe_.probe(path)
        claimed = info.get("duration")
        if claimed and abs(probe.duration - claimed) > max(2.0, 0.05 * claimed):
            raise Failure("wrong_duration", f"{probe.duration:.1f} s, and should be {claimed:.1f}")
        sha256 = sha256_of(path)
        for old in self.folder.glob(f"{movie.mid}.*"):
            if old.suffix in SUFFIXES:
                old.unlink()
        final = self.folder / f"{movie.mid}{path.suffix}"
        path.replace(final)
        shutil.rmtree(partial)
        return {
            "bytes": final.stat().st_size,
            "sha256": sha256,
            "file": final.as_posix(),
            "title": _title(info),
            "format": info.get("format_id", ""),
            "duration": f"{probe.duration:.3f}",
            "height": probe.height,
            "width": probe.width,
            "fps": f"{probe.fps:.3f}",
            "frames": probe.frames,
            "corrupt": probe.corrupt,
            "codec": probe.codec,
            "decoder": probe.decoder,
        }

    def _client(self, url: str, any_format: bool) -> Any:
        """This thread's client for a kind of site; made once: that costs as much as seven files."""
        from yt_dlp import YoutubeDL

        scheme, host = urlsplit(url).scheme, urlsplit(url).hostname or ""
        youtube = f".{host}".endswith((".youtube.com", ".youtu.be"))
        kind = (scheme == "file", youtube, any_format)
        clients = self.local.__dict__.setdefault("clients", {})
        if kind in clients:
            return clients[kind]
        wanted = f"res:{self.settings['short_side']}"
        options = {
            # The format is in the name: a part of another one would be continued into a broken
            # file. Nothing else of the site's is.
            "outtmpl": {"default": "%(partial_folder)s/%(format_id)s.%(ext)s"},
            "paths": {"home": str(self.folder)},
            "format": ANY_FORMAT if any_format else FORMAT,
            "format_sort": [wanted, "vcodec:h264", "ext:mp4:m4a", "fps"],
            "enable_file_urls": scheme == "file",
            # It would claim to be in another country.
            "geo_bypass": False,
            "noplaylist": True,
            "playlist_items": "1",
            "retries": self.settings["retries"],
            "retry_sleep_functions": dict.fromkeys(("http", "fragment", "extractor"), _pause),
            "socket_timeout": self.settings["timeout"],
            "progress_hooks": [self._progress],
            "noprogress": True,
            "quiet": True,
            "cachedir": False,
            "cookiefile": io.StringIO(self.cookies) if self.cookies else None,
            "logger": _Quiet(),
        }
        if not youtube:
            options["http_headers"] = {"User-Agent": web.USER_AGENT}
        clients[kind] = YoutubeDL(options)
        return clients[kind]

    def _progress(self, state: Mapping) -> None:
        """Called by yt-dlp after each block."""
        from yt_dlp.utils import DownloadCancelled

        size = max(state.get("downloaded_bytes") or 0, state.get("total_bytes") or 0)
        if self.stop.reason or size > self.limit:
            raise DownloadCancelled


def _title(info: Mapping) -> str:
    """What the site calls a video; nothing where yt-dlp made it of the file's name."""
    return "" if info.get("extractor_key") == "Generic" else one_line(info.get("title"))


def _check(info: Mapping, download: Mapping, path: Path, partial: Path, url: str) -> None:
    """What can be seen of a download without decoding it. Raises `Failure`."""
    if path.resolve().parent != partial.resolve() or path.suffix not in SUFFIXES:
        raise Failure("bad_name", f"it would be called {path.name}")
    asked = re.fullmatch(r"https://www\.youtube\.com/watch\?v=(.{11})", url)
    if asked and info["id"] != asked[1]:
        raise Failure("wrong_video", f"asked for {asked[1]}, got {info['id']}")
    size, got = download.get("filesize"), path.stat().st_size
    if size and got != size:
        raise Failure("truncated", f"{got} of {size} bytes")


def _relative(message: str, url: str, address: str) -> str:
    """A message without this machine's absolute paths, so that the ledger is the same anywhere."""
    if urlsplit(url).scheme == "file":
        message = message.replace(url2pathname(urlsplit(url).path), address).replace(url, address)
    return message


def trailer_of(address: str, settings: Mapping, folder: Path) -> dict:
    """Have one trailer, from a URL or a file, verified: columns of the trailers' ledger.

    settings: see `TrailerFetcher`. folder: for what is fetched. Raises `UserError`.
    """
    path = web.local_path(address)
    try:
        if path is None:
            folder.mkdir(parents=True, exist_ok=True)
            # Named by an id that no movie has: nothing of a site's names reaches the disk.
            movie = Movie("tt0000000", "", "", (), trailer_url=address)
            return TrailerFetcher(folder, settings, StopSignal()).fetch(movie)
        probe = probe_.probe(path)
    except Failure as failure:
        raise UserError(f"the trailer cannot be used: {failure}") from failure
    return {
        "file": path.as_posix(),
        "sha256": sha256_of(path),
        "duration": f"{probe.duration:.3f}",
        "decoder": probe.decoder,
    }


def trailers_of_shard(
    movies: Sequence[Movie], settings: Mapping, folder: Path, shard: str, number: int = 0
) -> list[dict]:
    """Fetch the trailers of a shard; its ledger rows, with `TRAILER_COLUMNS`."""
    addresses = {movie.mid: movie.trailer_addresses for movie in movies}
    asked = {"short_side": settings["short_side"]}
    tool = retries.yt_dlp()
    return _shard(TrailerFetcher, addresses, asked, tool, movies, settings, folder, shard, number)
