"""yt-dlp clients for trailers: formats, options, cancellation.

Writes the files that a client downloads. Must not know the ledger.
"""

import io
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from trailers12k.downloads.http import USER_AGENT
from trailers12k.downloads.pacing import retry_pause
from trailers12k.downloads.settings import DownloadSettings

FORMAT = (
    "bv[vcodec^=avc1][ext=mp4][protocol=https][format_id!$=-sr]"
    "/b[vcodec^=avc1][ext=mp4][protocol=https]/bv*[vcodec^=avc1][ext=mp4]/b"
)
"""H.264, since decord cannot open AV1; one stream, so that no streams must be merged. Formats whose
ids end in -sr were enlarged by the site."""

ANY_FORMAT = "bv*/b"


class Silent:
    """A logger that drops yt-dlp's messages: they contain whole URLs, and failures have reasons."""

    def debug(self, message: str) -> None:
        """Drop a message."""

    info = warning = error = debug


class Clients:
    """yt-dlp clients: one per thread and kind of site, since creating one is slow.

    folder: for the downloads. is_stopped: whether to cancel downloads.
    """

    def __init__(self, folder: Path, settings: DownloadSettings, is_stopped: Callable[[], bool]):
        # The cookies as text: yt-dlp would write the site's new cookies into the user's file.
        self._cookies: str | None = None
        if settings.cookies:
            self._cookies = Path(settings.cookies).read_text(encoding="utf-8")
        self._limit = settings.limit
        self._is_stopped = is_stopped
        self._local = threading.local()
        self._options: dict[str, Any] = {
            # The format is in the name: continuing a part of another format would give a broken
            # file. Nothing else of the name comes from the site.
            "outtmpl": {"default": "%(partial_folder)s/%(format_id)s.%(ext)s"},
            "paths": {"home": str(folder)},
            "format_sort": [f"res:{settings.short_side}", "vcodec:h264", "ext:mp4:m4a", "fps"],
            # Otherwise it sends headers of another country.
            "geo_bypass": False,
            "noplaylist": True,
            "playlist_items": "1",
            "retries": settings.retries,
            "fragment_retries": settings.retries,
            "retry_sleep_functions": dict.fromkeys(("http", "fragment", "extractor"), retry_pause),
            "socket_timeout": settings.timeout,
            "progress_hooks": [self._check_progress],
            "noprogress": True,
            "quiet": True,
            "cachedir": False,
            "logger": Silent(),
        }

    def client(self, url: str, any_format: bool) -> Any:
        """This thread's `ytdlp.BoundedYoutubeDL` for a URL."""
        from trailers12k.downloads.ytdlp import BoundedYoutubeDL

        host = urlsplit(url).hostname or ""
        youtube = f".{host}".endswith((".youtube.com", ".youtu.be"))
        kind = (youtube, any_format)
        clients = self._local.__dict__.setdefault("clients", {})
        if kind not in clients:
            options = self._options | {
                "format": ANY_FORMAT if any_format else FORMAT,
                "cookiefile": io.StringIO(self._cookies) if self._cookies else None,
            }
            if not youtube:
                options["http_headers"] = {"User-Agent": USER_AGENT}
            clients[kind] = BoundedYoutubeDL(options)
        return clients[kind]

    def _check_progress(self, state: Mapping[str, Any]) -> None:
        """Cancel a download that is too large, or whose job is stopped; called per block."""
        from yt_dlp.utils import DownloadCancelled

        size = max(state.get("downloaded_bytes") or 0, state.get("total_bytes") or 0)
        if self._is_stopped() or size > self._limit:
            raise DownloadCancelled
