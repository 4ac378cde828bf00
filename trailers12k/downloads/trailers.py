"""Trailers with yt-dlp: every file is verified, every failure has a reason.

Writes `FOLDER/MID.EXT`, and a record beside it. Must not know clips and features.
"""

import logging
import os
import re
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from trailers12k.common.errors import Cancelled, Failure, Stop, UserError, disk_failure
from trailers12k.common.files import (
    ABANDONED,
    HOST,
    PARTIAL,
    inside,
    is_being_written,
    sha256_of,
)
from trailers12k.common.fingerprint import fingerprint
from trailers12k.common.local_files import local_path
from trailers12k.common.movie import Movie
from trailers12k.common.text import one_line
from trailers12k.common.youtube import video_id
from trailers12k.downloads.bounds import OutOfBounds, bounded
from trailers12k.downloads.http import opened_locally
from trailers12k.downloads.messages import without_objects
from trailers12k.downloads.pacing import HostRateLimiter, retry_pause, wait
from trailers12k.downloads.retries import yt_dlp_version
from trailers12k.downloads.settings import DownloadSettings
from trailers12k.downloads.shard import FileKind, Refetch, Shard, download
from trailers12k.downloads.youtube import Clients
from trailers12k.jobs.ledger import LedgerRow
from trailers12k.jobs.reasons import PERMANENT, STOPS, classify_error
from trailers12k.jobs.runner import StopSignal
from trailers12k.video.confined import probe
from trailers12k.video.container import suffix_of
from trailers12k.video.no_sound import NO_SOUND
from trailers12k.video.probe import VideoLimits
from trailers12k.video.sound import Sound

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
    "flags",
    "sound_codec",
    "sound_channels",
    "sound_rate",
    "sound_duration",
    "silent",
]
"""trailer: position in the movie's list of trailers, from 0. address: of the trailer. title: on its
site; empty without a site, and in records from before this column. format: yt-dlp's id. flags:
joined by `|`. sound_*: of `video.sound.Sound`; without a sound track sound_channels is 0 and the
others are empty, as all are in records from before these columns; silent: 1 or 0. The others are
those of `video.probe.Probe`."""

FILE_NAMES = re.compile(
    r"\.(3g2|3gp|asf|avi|divx|f4v|flv|m2ts|m2v|m4v|mkv|mov|mp4|mp4v|mpe?g|mts|mxf|ogg|ogv|qt|ts|vob"
    r"|webm|wmv)",
    re.IGNORECASE,
)
"""Endings of the URLs of files: no site is looked for. What a file is, its content decides."""
RECORDS = (".json", PARTIAL)
"""Endings of the files beside a movie's file."""

GONE = (*PERMANENT, "unavailable", "unsafe_address")
"""Reasons after which the movie's next trailer is tried."""
CONTINUED = ("network", "server_error", "forbidden", *STOPS)
"""Reasons after which a partial download is kept, so that the next attempt continues it."""

OWNED = re.compile(rf".+\.([0-9a-f]{{8}})-\d+{re.escape(PARTIAL)}", re.ASCII)
"""Names of the folders into which jobs download, with the host and process of each. One that was
killed leaves it to the next; so it is not one of `common.files.TEMPORARY`, which are removed."""

GAVE_UP = re.compile(r"\. Giving up after \d+ retries$")
"""The end of a message of yt-dlp after its own retries."""


SOUND_PREFERRED = "sound_preferred"
"""A key of a movie's record: its file was chosen with sound preferred to the size. No column."""

log = logging.getLogger(__name__)


class TrailerFetcher:
    """Downloads and verifies trailers into a folder."""

    def __init__(self, folder: Path, settings: DownloadSettings, stop: StopSignal):
        self.folder = folder
        self.settings = settings
        self.stop = stop
        self.limiter = HostRateLimiter(settings.pause, stop)
        self.clients = Clients(folder, settings, lambda: bool(stop.reason))

    def fetch(self, movie: Movie) -> dict[str, Any]:
        """Download a movie's trailer, or the next one when it is gone; returns its ledger columns.

        Raises `Failure`, `Stop`, `Cancelled`.
        """
        failures: list[Failure] = []
        details: list[str] = []
        for number, address in enumerate(movie.trailer_addresses):
            try:
                row = self._fetch(movie, address)
            except Failure as failure:
                failures.append(failure)
                details.append(f"trailers[{number}] {failure}")
                if failure.reason in GONE:
                    continue
                break
            row |= {"trailer": number, "address": address, "detail": "; ".join(details)}
            return row | ({SOUND_PREFERRED: 1} if self.settings.prefers_sound else {})
        # The movie's reason is one that a retry can cure, if there is one.
        worst = min(failures, key=lambda f: (f.reason in GONE, f.reason in PERMANENT))
        if len(failures) == 1:
            raise worst
        raise type(worst)(worst.reason, "; ".join(details))

    def fetch_sound(self, movie: Movie, row: LedgerRow) -> dict[str, Any]:
        """Download a trailer without sound again; returns the columns of its row that change.

        The old file stays where the site has none with sound. Raises as `fetch`, for all else.
        """
        tried: dict[str, Any] = {SOUND_PREFERRED: 1}
        if "sound_channels" not in row:  # a row of before these columns
            try:
                sound = _sound_columns(probe(Path(row["file"]), _limits(self.settings)).sound)
            except Failure:
                sound = {}
            if sound.get("sound_codec"):
                return tried | sound
        address = row.get("address") or movie.trailer_addresses[0]
        try:
            return tried | self._fetch(movie, address, needs_sound=True)
        except Failure as failure:
            if failure.reason != NO_SOUND:
                raise
            log.info("%s: %s", movie.mid, failure)
            return tried

    def _fetch(self, movie: Movie, address: str, needs_sound: bool = False) -> dict[str, Any]:
        """Download from one address, with immediate retries where they help. Raises `Failure`.

        needs_sound: whether a file in which nothing can be heard is a failure, `no_sound`.
        """
        name = f"{movie.mid}.{fingerprint(address=address)}"
        partial = self._claim(movie.mid, name)
        limits = {
            "server_error": self.settings.retries,
            "network": self.settings.retries,
            "forbidden": min(3, self.settings.retries),
            "bad_partial": 1,
            "no_format": 1,
        }
        reasons: list[str] = []
        while True:
            try:
                with self.limiter.turn(address):
                    return self._download(movie, address, partial, needs_sound)
            except Failure as failure:
                reason = failure.reason
                is_over = reason not in CONTINUED or reason == "local_io"
                if is_over:
                    shutil.rmtree(partial, ignore_errors=True)
                if (
                    reasons.count(reason) >= limits.get(reason, 0)
                    or isinstance(failure, OutOfBounds)
                    or GAVE_UP.search(failure.detail)
                ):
                    if not is_over:
                        _leave(partial, inside(self.folder, f"{name}{PARTIAL}"))
                    kind = Stop if reason in STOPS else Failure
                    raise kind(reason, failure.detail) from failure
                reasons.append(reason)
                if reason in CONTINUED:
                    wait(retry_pause(len(reasons) - 1), self.stop)

    def _claim(self, mid: str, name: str) -> Path:
        """The folder of this job's download. An earlier partial one of the same address is made
        this job's; those of other addresses are removed. What another job downloads stays.

        name: of the movie and the address.
        """
        partial = inside(self.folder, f"{name}.{HOST}-{os.getpid()}{PARTIAL}")
        for other in self.folder.glob(f"{mid}.*{PARTIAL}"):
            if other == partial or not other.is_dir() or _is_in_use(other):
                continue
            if other.name.startswith(f"{name}.") and not partial.exists():
                with suppress(FileNotFoundError):  # another job was faster
                    other.rename(partial)
            else:
                shutil.rmtree(other, ignore_errors=True)
        return partial

    def _download(
        self, movie: Movie, address: str, partial: Path, needs_sound: bool
    ) -> dict[str, Any]:
        """Download with one call of yt-dlp, or copy a local file, and verify.

        Raises `Failure`, `Cancelled`.
        """
        info: Mapping[str, Any] = {}
        if source := local_path(address):
            path = self._copy(source, partial)
        else:
            path, info = self._fetch_once(address, partial)
        facts = _verified(path, info.get("duration"), _limits(self.settings))
        if needs_sound and facts.get("silent") != 0:
            raise Failure(NO_SOUND, f"{one_line(info.get('format_id'))} has nothing to hear either")
        final = inside(self.folder, f"{movie.mid}{suffix_of(path)}")
        path.replace(final)
        for old in self.folder.glob(f"{movie.mid}.*"):
            if old != final and old.suffix not in RECORDS and old.is_file():
                old.unlink(missing_ok=True)
        shutil.rmtree(partial)
        return {
            "bytes": final.stat().st_size,
            "sha256": facts.pop("sha256"),
            "file": final.as_posix(),
            "title": _title(info),
            "format": info.get("format_id", ""),
            **facts,
        }

    def _copy(self, source: Path, partial: Path) -> Path:
        """A copy of a local file, which its owner may move or change. Raises `Failure`."""
        with opened_locally(source, source.as_posix()) as file:
            size = source.stat().st_size
            if size > self.settings.limit:
                raise self._too_large()
            # The first byte shows whether the file can be read, before a folder is made.
            if not file.read(1):
                raise Failure("empty", f"{source.as_posix()} has no bytes")
        copy = partial / "copy"
        try:
            partial.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
        except OSError as error:
            raise disk_failure(error) from error
        return copy

    def _fetch_once(self, url: str, partial: Path) -> tuple[Path, Mapping[str, Any]]:
        """Download with one call of yt-dlp; the file, and what yt-dlp states about it.

        Raises `Failure`, `Cancelled`.
        """
        with bounded(self.settings.bounds, self.settings.limit):
            info = self._extract(url, partial)
        # A page with several videos gives a list, of which the first is used. yt-dlp raises nothing
        # for a video without a suitable format, so the files are counted.
        info = next(iter((info or {}).get("entries") or []), info) or {}
        downloads = info.get("requested_downloads") or []
        if len(downloads) != 1 or not Path(downloads[0]["filepath"]).is_file():
            raise Failure("no_format", f"{len(downloads)} files were downloaded")
        path = Path(downloads[0]["filepath"])
        _check(info, downloads[0], path, partial, url)
        return path, info

    def _too_large(self) -> Failure:
        return Failure(
            "too_large",
            f"more than the {self.settings.max_megabytes:g} MB of trailers.max_megabytes",
        )

    def _extract(self, url: str, partial: Path) -> Mapping[str, Any] | None:
        """yt-dlp's information about a download. Raises `Failure`, `Cancelled`."""
        # Imported here: it takes half a second, which other stages need not spend.
        from yt_dlp.utils import DownloadCancelled, YoutubeDLError

        client = self.clients.client(url)
        # The URL of a file needs no search through a thousand extractors.
        direct = _is_of_file(url)
        try:
            return client.extract_info(
                url,
                ie_key="Generic" if direct else None,
                extra_info={"partial_folder": partial.name},
            )
        except DownloadCancelled as error:
            if self.stop.reason:
                raise Cancelled from error
            raise self._too_large() from error
        except Failure:
            raise
        except YoutubeDLError as error:
            message = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).removeprefix("ERROR: ")
            message = self._without_tokens(without_objects(message))
            raise Failure(classify_error(error, url), message) from error
        except OSError as error:
            raise disk_failure(error) from error
        except Exception as error:
            # yt-dlp does not catch all its own errors, such as a ValueError for a link `http://[`.
            message = self._without_tokens(f"{type(error).__name__}: {error}")
            raise Failure("extractor_broken", message) from error

    def _without_tokens(self, message: str) -> str:
        """A message without the user's tokens, which yt-dlp puts into the URLs of files."""
        for token in self.settings.po_tokens:
            secret = token.partition("+")[2]
            for text in {secret, quote(secret), unquote(secret), quote(unquote(secret))}:
                message = message.replace(text, "...")
        return message


def _is_in_use(partial: Path) -> bool:
    """Whether a job that still runs downloads into a folder."""
    if not (owner := OWNED.fullmatch(partial.name)):
        return False
    if owner[1] == HOST:
        return is_being_written(partial.with_name(f"{partial.stem}-00000000{PARTIAL}"))
    try:
        return time.time() - partial.stat().st_mtime < ABANDONED
    except FileNotFoundError:
        return False


def _leave(partial: Path, unowned: Path) -> None:
    """Leave an unfinished download to whoever tries again."""
    try:
        partial.rename(unowned)
    except FileNotFoundError:  # it has not begun
        pass
    except OSError:  # another job has left one, too
        shutil.rmtree(partial, ignore_errors=True)


def _limits(settings: DownloadSettings) -> VideoLimits:
    return VideoLimits(settings.max_megapixels, settings.max_minutes)


def _verified(path: Path, duration: float | None, limits: VideoLimits) -> dict[str, Any]:
    """Ledger columns of a video that was decoded to its end. Raises `Failure`.

    duration: in seconds, as the site states it; None if it does not.
    """
    video = probe(path, limits)
    # Sites state the duration of the longest track.
    durations = [video.duration, *([video.sound.duration] if video.sound else [])]
    if duration and min(abs(each - duration) for each in durations) > max(2.0, 0.05 * duration):
        raise Failure(
            "wrong_duration", f"{video.duration:.1f} s, but the site states {duration:.1f} s"
        )
    return {
        "sha256": sha256_of(path),
        "duration": f"{video.duration:.3f}",
        "height": video.height,
        "width": video.width,
        "fps": f"{video.fps:.3f}",
        "frames": video.frames,
        "corrupt": video.corrupt,
        "codec": video.codec,
        "decoder": video.decoder,
        "flags": "|".join(video.flags),
        **_sound_columns(video.sound),
    }


def _sound_columns(sound: Sound | None) -> dict[str, Any]:
    if sound is None:
        return {"sound_channels": 0}
    return {
        "sound_codec": sound.codec,
        "sound_channels": sound.channels,
        "sound_rate": sound.rate,
        "sound_duration": f"{sound.duration:.3f}",
        "silent": int(sound.silent),
    }


def _title(info: Mapping[str, Any]) -> str:
    """The video's title on its site; empty where yt-dlp derived it from the file's name."""
    return "" if info.get("extractor_key") == "Generic" else one_line(info.get("title"))


def _check(
    info: Mapping[str, Any], download: Mapping[str, Any], path: Path, partial: Path, url: str
) -> None:
    """Check a download without decoding it. Raises `Failure`."""
    if path.resolve().parent != partial.resolve():
        raise Failure("bad_name", f"the file would be called {path.name}")
    requested = video_id(url)
    if requested and info["id"] != requested:
        raise Failure("wrong_video", f"requested {requested}, received {info['id']}")
    size, received = download.get("filesize"), path.stat().st_size
    if size and received != size:
        raise Failure("truncated", f"{received} of {size} bytes")


def trailer_of(address: str, settings: DownloadSettings, folder: Path) -> dict[str, Any]:
    """Download or check one trailer, from a URL or a file; columns of the trailers' ledger.

    folder: for the download. Raises `UserError`.
    """
    path = local_path(address)
    try:
        if path is None:
            folder.mkdir(parents=True, exist_ok=True)
            # An id that no movie has: the file's name contains nothing from the site.
            movie = Movie("tt0000000", "", "", (), trailer_url=address)
            settings = replace(settings, named_by_user=True)
            return _columns(TrailerFetcher(folder, settings, StopSignal()).fetch(movie))
        if ":" in path.parts[0]:  # FFmpeg would read a protocol
            path = path.absolute()
        video = probe(path, _limits(settings))
    except Failure as failure:
        raise UserError(f"the trailer cannot be used: {failure}") from failure
    return {
        "file": path.as_posix(),
        "sha256": sha256_of(path),
        "duration": f"{video.duration:.3f}",
        "decoder": video.decoder,
    }


def trailers_of_shard(shard: Shard, settings: DownloadSettings) -> list[LedgerRow]:
    """Download the trailers of a shard; returns its ledger rows, with `TRAILER_COLUMNS`."""
    kind = FileKind(
        addresses=lambda movie: movie.trailer_addresses,
        fetcher=TrailerFetcher,
        question={"short_side": settings.short_side},
        tool=yt_dlp_version(),
        refetch=Refetch(_may_have_sound, TrailerFetcher.fetch_sound)
        if settings.prefers_sound
        else None,
    )
    return list(map(_columns, download(shard, kind, settings)))


def _columns(row: LedgerRow) -> LedgerRow:
    """A row without what only records hold."""
    return {key: value for key, value in row.items() if key != SOUND_PREFERRED}


def _may_have_sound(row: LedgerRow) -> bool:
    """Whether a site may have a file with sound for a trailer without, and was not asked yet."""
    address = row.get("address", "")
    return not (
        row.get("sound_codec")
        or row.get(SOUND_PREFERRED)
        or local_path(address)
        or _is_of_file(address)
    )


def _is_of_file(url: str) -> bool:
    """Whether a URL is that of a file, so that no site is looked for."""
    return FILE_NAMES.fullmatch(Path(urlsplit(url).path).suffix) is not None
