"""Posters over HTTP or from local files: checked, and stored as RGB JPEG.

Writes `FOLDER/MID.jpg`, and a record beside it. Must not know what posters are used for.
"""

import threading
from pathlib import Path
from typing import Any

import PIL

from trailers12k.common.errors import Failure, Stop, disk_failure
from trailers12k.common.files import inside, partial_of, replacing, sha256_of
from trailers12k.common.movie import Movie
from trailers12k.downloads import http
from trailers12k.downloads.pacing import HostRateLimiter
from trailers12k.downloads.settings import DownloadSettings
from trailers12k.downloads.shard import FileKind, Shard, download
from trailers12k.jobs.ledger import LedgerRow
from trailers12k.jobs.reasons import STOPS
from trailers12k.jobs.runner import StopSignal
from trailers12k.video.confined import save_as_jpeg

POSTER_COLUMNS = ["file", "height", "width"]


class PosterFetcher:
    """Downloads posters into a folder."""

    def __init__(self, folder: Path, settings: DownloadSettings, stop: StopSignal):
        self.folder = folder
        self.settings = settings
        self.limiter = HostRateLimiter(settings.pause, stop)
        self.local = threading.local()

    def fetch(self, movie: Movie) -> dict[str, Any]:
        """Download a movie's poster; returns its ledger columns.

        Raises `Failure`, `Stop`, `Cancelled`.
        """
        data = self._read(movie.poster_url)
        final = inside(self.folder, f"{movie.mid}.jpg")
        received = partial_of(final)
        try:
            with replacing(final) as partial:
                received.write_bytes(data)
                height, width = save_as_jpeg(received, partial, self.settings.max_megapixels)
        except OSError as error:
            raise disk_failure(error) from error
        finally:
            received.unlink(missing_ok=True)
        return {
            "bytes": final.stat().st_size,
            "sha256": sha256_of(final),
            "file": final.as_posix(),
            "height": height,
            "width": width,
        }

    def _read(self, address: str) -> bytes:
        if not hasattr(self.local, "client"):
            self.local.client = http.session(self.settings.retries)
        try:
            with self.limiter.turn(address):
                return http.read(
                    self.local.client,
                    address,
                    self.settings.limit,
                    self.settings.timeout,
                    self.settings.bounds,
                )
        except Failure as failure:
            if failure.reason in STOPS:
                raise Stop(failure.reason, failure.detail) from failure
            raise


def posters_of_shard(shard: Shard, settings: DownloadSettings) -> list[LedgerRow]:
    """Download the posters of a shard; returns its ledger rows, with `POSTER_COLUMNS`."""
    kind = FileKind(
        addresses=lambda movie: (movie.poster_url,) if movie.poster_url else (),
        fetcher=PosterFetcher,
        question={"max_megabytes": settings.max_megabytes},
        tool=f"Pillow {PIL.__version__}",
    )
    return download(shard, kind, settings)
