"""Downloads posters and verifies them.

Writes RGB JPEG files. Must not know Snakemake.
"""

import struct
import threading
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

import PIL
from PIL import Image

from trailers12k.common.errors import Failure, Stop, _disk_failure
from trailers12k.common.files import replacing, sha256_of
from trailers12k.common.movie import Movie
from trailers12k.downloads import http as web
from trailers12k.downloads.pacing import HostRateLimiter
from trailers12k.downloads.shard import _shard
from trailers12k.jobs.reasons import STOPS
from trailers12k.jobs.runner import StopSignal

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


class PosterFetcher:
    """Fetches posters, checks that they are images, and stores them as RGB JPEG.

    settings: `max_megabytes`, `retries`, `timeout` (seconds) and `pause` (for `HostRateLimiter`).
    """

    def __init__(self, folder: Path, settings: Mapping, stop: StopSignal):
        self.folder = folder
        self.settings = settings
        self.limiter = HostRateLimiter(settings["pause"], stop)
        self.local = threading.local()

    def fetch(self, movie: Movie) -> dict:
        """Fetch a movie's poster; its ledger columns. Raises `Failure`, `Stop`, `Cancelled`."""
        if not hasattr(self.local, "client"):
            self.local.client = web.session(self.settings["retries"])
        limit = int(self.settings["max_megabytes"] * 1e6)
        try:
            with self.limiter.turn(movie.poster_url):
                data = web.read(
                    self.local.client, movie.poster_url, limit, self.settings["timeout"]
                )
        except Failure as failure:
            if failure.reason in STOPS:
                raise Stop(failure.reason, failure.detail) from failure
            raise
        try:
            with Image.open(BytesIO(data)) as image:
                picture = image.convert("RGB")
        except PICTURE_ERRORS as error:
            raise Failure("not_image", str(error)[:200]) from error
        final = self.folder / f"{movie.mid}.jpg"
        try:
            with replacing(final) as partial:
                picture.save(partial, format="JPEG", quality=95)
        except OSError as error:
            raise _disk_failure(error) from error
        return {
            "bytes": final.stat().st_size,
            "sha256": sha256_of(final),
            "file": final.as_posix(),
            "height": picture.height,
            "width": picture.width,
        }


def posters_of_shard(
    movies: Sequence[Movie], settings: Mapping, folder: Path, shard: str, number: int = 0
) -> list[dict]:
    """Fetch the posters of a shard; its ledger rows, with `POSTER_COLUMNS`."""
    addresses = {movie.mid: tuple(filter(None, [movie.poster_url])) for movie in movies}
    asked = {"max_megabytes": settings["max_megabytes"]}
    tool = f"Pillow {PIL.__version__}"
    return _shard(PosterFetcher, addresses, asked, tool, movies, settings, folder, shard, number)
