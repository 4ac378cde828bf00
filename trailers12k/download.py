"""Trailers with yt-dlp and posters over HTTP; every failure is classified.

Writes `FOLDER/MID.EXT`, verified before it takes that name. Must not know features.
"""

import logging
import re
import shutil
import struct
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import PIL
import requests
import urllib3
from PIL import Image

from trailers12k import shards, video
from trailers12k.files import PARTIAL, replacing, sha256_of
from trailers12k.fingerprint import fingerprint
from trailers12k.movies import Movie
from trailers12k.shards import Failure, Task

log = logging.getLogger(__name__)

TRAILER_COLUMNS = [
    "file",
    "format",
    "duration",
    "height",
    "width",
    "fps",
    "frames",
    "corrupt",
    "codec",
    "reader",
]
POSTER_COLUMNS = ["file", "height", "width"]

PICTURE_ERRORS = (
    OSError,
    EOFError,
    SyntaxError,
    ValueError,
    struct.error,
    Image.DecompressionBombError,
)
"""What Pillow raises for files that are no pictures, or only the beginning of one."""

# decord cannot open AV1, so H.264 is asked for; one stream, so that nothing must be merged.
FORMAT = (
    "bv[vcodec^=avc1][ext=mp4][protocol=https][format_id!$=-sr]"
    "/b[vcodec^=avc1][ext=mp4][protocol=https]/bv*[vcodec^=avc1][ext=mp4]/b"
)

# In this order; the first that matches. From yt-dlp's messages (its source, and runs against a
# failing server). The apostrophes are matched by a dot since YouTube also writes a curly one.
REASONS = [
    (r"confirm you.re not a bot|captcha|IP is likely being blocked", "bot_check"),
    (r"rate-limited by YouTube|try again later|HTTP Error (429|402)", "rate_limited"),
    (r"confirm your age|age-restricted|inappropriate for some users", "age_restricted"),
    (r"private video|video is private", "private"),
    (r"members-only|join this channel|requires payment", "paid"),
    (r"copyright grounds|available in your country|blocked it in your country", "geo_blocked"),
    (r"copyright claim", "copyright"),
    (r"account .*terminated", "account_terminated"),
    (r"removed by the uploader|has been removed|no longer available|violating YouTube", "removed"),
    (r"DRM protected", "drm"),
    (r"premieres in|live event will begin|processing this video", "not_yet"),
    (r"HTTP Error 416", "bad_partial"),
    (r"HTTP Error 403", "forbidden"),
    (r"HTTP Error (5\d\d|408)", "server_error"),
    (r"Requested format is not available|No video formats found", "no_format"),
    (
        r"Failed to extract any player response|Unable to extract|not available on this app",
        "extractor_broken",
    ),
    (r"Video unavailable|HTTP Error (404|410)|No such file or directory", "unavailable"),
    (r"No space left|unable to (write|open)|Unable to create directory", "local_io"),
    (
        r"timed out|resolve|Connection|SSL|bytes read|Did not get any data blocks",
        "network",
    ),
    (r"Unsupported URL|is not a valid URL|looks truncated", "bad_id"),
]

PERMANENT = (
    "age_restricted",
    "private",
    "paid",
    "geo_blocked",
    "copyright",
    "account_terminated",
    "removed",
    "drm",
    "bad_id",
)
"""Reasons that trying again does not cure; for all others a later run of the job tries again."""


def classify(message: str) -> str:
    """The reason behind a message of yt-dlp or of an HTTP client; "unknown" when there is none."""
    message = re.split(r"\. Use --cookies|; please report|See +https", message)[0]
    for pattern, reason in REASONS:
        if re.search(pattern, message, re.IGNORECASE):
            return reason
    return "unknown"


def address_of(url: str) -> str:
    """A URL as it stands; the path of a local file as a file URL."""
    return url if urlsplit(url).scheme else Path(url).resolve().as_uri()


class _Log:
    """yt-dlp's messages, without the ones that the ledger tells already."""

    def debug(self, message: str) -> None:
        log.debug(message)

    info = warning = error = debug


def fetch_trailer(movie: Movie, folder: Path, settings: Mapping) -> dict:
    """Download, verify and name one trailer; the columns of its ledger row.

    Raises `Failure`: a reason of `REASONS`, or one of `video.probe`.
    """
    # Imported here: it costs half a second that no other stage should pay.
    from yt_dlp import YoutubeDL
    from yt_dlp.utils import DownloadError, GeoRestrictedError
    from yt_dlp.version import __version__

    address = address_of(movie.trailer_address)
    # What was begun is continued, but only what was begun at this address.
    partial = folder / f"{movie.mid}.{fingerprint(address=address)}{PARTIAL}"
    for other in folder.glob(f"{movie.mid}.*{PARTIAL}"):
        if other != partial:
            shutil.rmtree(other)
    options = {
        # The format is in the name: a part of another format would be continued into a broken file.
        "outtmpl": {"default": str(partial / "%(format_id)s.%(ext)s")},
        "format": FORMAT,
        "format_sort": [f"res:{settings['short_side']}", "vcodec:h264", "ext:mp4:m4a", "fps"],
        "enable_file_urls": urlsplit(address).scheme == "file",
        "noplaylist": True,
        "retries": 10,
        "noprogress": True,
        "quiet": True,
        "cachedir": False,
        "logger": _Log(),
    }
    try:
        with YoutubeDL(options) as client:
            info = client.extract_info(address)
    except DownloadError as error:
        geo = isinstance(error.exc_info and error.exc_info[1], GeoRestrictedError)
        message = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).removeprefix("ERROR: ")
        reason = "geo_blocked" if geo else classify(message)
        if reason == "bad_partial":
            # The server refuses to continue it, and would for ever.
            shutil.rmtree(partial, ignore_errors=True)
        raise Failure(reason, _without(message, address, movie)) from error
    # A video that was refused by its format or size raises nothing: look at what is there.
    downloads = (info or {}).get("requested_downloads") or []
    if len(downloads) != 1 or not Path(downloads[0]["filepath"]).is_file():
        shutil.rmtree(partial, ignore_errors=True)
        raise Failure("no_format", f"{len(downloads)} files came of it")
    if movie.youtube_id and not movie.trailer_url and info["id"] != movie.youtube_id:
        shutil.rmtree(partial)
        raise Failure("wrong_video", f"asked for {movie.youtube_id}, got {info['id']}")
    path = Path(downloads[0]["filepath"])
    try:
        probe = video.probe(path)
    except Failure:
        # Kept, a complete but broken file would be taken for the download by every later try.
        shutil.rmtree(partial)
        raise
    final = folder / f"{movie.mid}{path.suffix}"
    path.replace(final)
    shutil.rmtree(partial)
    return {
        "bytes": final.stat().st_size,
        "sha256": sha256_of(final),
        "tool": f"yt-dlp {__version__}",
        "file": final.as_posix(),
        "format": info.get("format_id", ""),
        "duration": f"{probe.duration:.3f}",
        "height": probe.height,
        "width": probe.width,
        "fps": f"{probe.fps:.3f}",
        "frames": probe.frames,
        "corrupt": probe.corrupt,
        "codec": probe.codec,
        "reader": probe.reader,
    }


def _without(message: str, address: str, movie: Movie) -> str:
    """A message without this machine's absolute paths, so that the ledger is the same anywhere."""
    if urlsplit(address).scheme == "file" and movie.trailer_url:
        message = message.replace(url2pathname(urlsplit(address).path), movie.trailer_url)
        message = message.replace(address, movie.trailer_url)
    return message


def fetch_poster(movie: Movie, folder: Path, settings: Mapping) -> dict:
    """Fetch one poster, check that it is an image, and store it as an RGB JPEG; its ledger columns.

    Raises `Failure`.
    """
    data = _read_url(movie.poster_url, int(settings["max_megabytes"] * 1e6))
    try:
        with Image.open(BytesIO(data)) as image:
            picture = image.convert("RGB")
    except PICTURE_ERRORS as error:
        raise Failure("not_image", str(error)[:200]) from error
    final = folder / f"{movie.mid}.jpg"
    with replacing(final) as partial:
        picture.save(partial, format="JPEG", quality=95)
    return {
        "bytes": final.stat().st_size,
        "sha256": sha256_of(final),
        "tool": f"Pillow {PIL.__version__}",
        "file": final.as_posix(),
        "height": picture.height,
        "width": picture.width,
    }


def _read_url(url: str, limit: int) -> bytes:
    """The bytes of a URL or local file. Raises `Failure`; more than `limit` bytes are one."""
    if path := _local(url):
        if not path.is_file():
            raise Failure("unavailable", f"No such file: {url}")
        data = path.read_bytes()
    else:
        try:
            with requests.get(url, timeout=30, stream=True) as response:
                if not response.ok:
                    message = f"HTTP Error {response.status_code}: {response.reason}"
                    raise Failure(classify(message), message)
                data = b""
                for block in response.iter_content(1 << 16):
                    data += block
                    if len(data) > limit:
                        break
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise Failure("network", str(error)) from error
    if len(data) > limit:
        raise Failure("too_large", f"more than {limit / 1e6:g} MB")
    return data


def trailers_of_shard(movies: Sequence[Movie], settings: Mapping, folder: Path) -> list[dict]:
    """Fetch the trailers of a shard; its ledger rows, with `TRAILER_COLUMNS`."""
    asked = {"short_side": settings["short_side"]}
    return _shard(fetch_trailer, "trailer_address", asked, movies, settings, folder)


def _origin(address: str) -> dict[str, str | None]:
    """An address, and the content of a local file, which may change without its name."""
    path = _local(address)
    return {"address": address, "sha256": sha256_of(path) if path and path.is_file() else None}


def _local(address: str) -> Path | None:
    """The path of a local file's address, None for one on the web."""
    scheme = urlsplit(address).scheme
    if scheme in ("http", "https"):
        return None
    return Path(url2pathname(urlsplit(address).path)) if scheme else Path(address)


def posters_of_shard(movies: Sequence[Movie], settings: Mapping, folder: Path) -> list[dict]:
    """Fetch the posters of a shard; its ledger rows, with `POSTER_COLUMNS`."""
    asked = {"max_megabytes": settings["max_megabytes"]}
    return _shard(fetch_poster, "poster_url", asked, movies, settings, folder)


def _shard(
    fetch: Callable[[Movie, Path, Mapping], dict],
    address: str,
    asked: Mapping,
    movies: Sequence[Movie],
    settings: Mapping,
    folder: Path,
) -> list[dict]:
    # The code is no part of the fingerprint: what was fetched is kept, whatever becomes of ours.
    # Records lie beside the files, not by shard: another number of shards fetches nothing again.
    folder.mkdir(parents=True, exist_ok=True)
    by_mid = {movie.mid: movie for movie in movies}
    tasks = [
        Task(
            movie.mid,
            fingerprint(**_origin(getattr(movie, address)), **asked),
            skip="" if getattr(movie, address) else "no_address",
        )
        for movie in movies
    ]
    return shards.process(
        tasks,
        folder,
        lambda mid: fetch(by_mid[mid], folder, settings),
        settings["parallel"],
        unit="file",
        retry=lambda reason: reason not in PERMANENT,
    )
