"""yt-dlp clients for trailers: formats, options, cancellation.

Writes the files that a client downloads. Must not know the ledger.
"""

import io
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from trailers12k.common.youtube import is_youtube
from trailers12k.downloads.http import USER_AGENT
from trailers12k.downloads.pacing import retry_pause
from trailers12k.downloads.settings import DownloadSettings

H264 = "[vcodec~='^(avc|h264)'][ext=mp4][protocol~='^https?$'][format_id!$=-sr]"
"""H.264 in one MP4 file, since decord cannot open AV1. Formats whose ids end in -sr were enlarged
by the site."""
AVC = "[vcodec~='^(avc|h264)'][ext=mp4]"
"""The same in other protocols, such as streams of segments."""
TOLERANCE = 0.03
"""Relative deviation of a format's sides from those of its size: 854 x 480, 640 x 362."""
WIDE = 16 / 9
"""Width by height of the frame into which a site scales a video: the size 360 is 640 x 360."""


def format_selector(short_side: int, prefers_sound: bool = False) -> str:
    """yt-dlp's selector of a video's one file; no streams are merged, which takes a program.

    First the progressive H.264 and AAC file of the requested size (YouTube's format 18 for 360),
    since it holds the sound; then the H.264 video of that size; then the H.264 video of the nearest
    size, by `format_sort`; then anything. The size decides before the sound.

    prefers_sound: the sound decides before the size: every file that holds it comes first, H.264
    before others.
    short_side: in pixels, of a video of 16:9. Wider and narrower ones have the size whose frame
    they fill, upright ones the size of their width.
    """
    long_side = short_side * WIDE
    side = [round(short_side * factor) for factor in (1 - TOLERANCE, 1 + TOLERANCE)]
    long = [round(long_side * factor) for factor in (1 - TOLERANCE, 1 + TOLERANCE)]
    sizes = [
        filters
        for one, other in (("height", "width"), ("width", "height"))
        for filters in (
            f"[{one}>={side[0]}][{one}<={side[1]}][{other}>=?{side[0]}][{other}<=?{long[1]}]",
            f"[{other}>={long[0]}][{other}<={long[1]}][{one}<=?{side[1]}]",
        )
    ]
    kinds = (f"b{H264}[acodec^=mp4a]", f"bv*{H264}")
    exact = [f"{kind}{size}" for kind in kinds for size in sizes]
    heard = [*exact[: len(sizes)], f"b{H264}", f"b{AVC}", "b"]
    any_size = [f"bv*{H264}", f"bv*{AVC}", "b", "bv*"]
    return "/".join([*(heard if prefers_sound else []), *exact, *any_size])


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
            "format": format_selector(settings.short_side, settings.prefers_sound),
            "format_sort": [
                *(f"res:{settings.short_side}", "hasaud", "vcodec:h264", "ext:mp4:m4a", "fps"),
            ],
            "extractor_args": {"youtube": _youtube_arguments(settings)},
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

    def client(self, url: str) -> Any:
        """This thread's `ytdlp.BoundedYoutubeDL` for a URL."""
        from trailers12k.downloads.ytdlp import BoundedYoutubeDL

        youtube = is_youtube(url)
        clients = self._local.__dict__.setdefault("clients", {})
        if youtube not in clients:
            options = self._options | {
                "cookiefile": io.StringIO(self._cookies) if self._cookies else None,
            }
            if not youtube:
                options["http_headers"] = {"User-Agent": USER_AGENT}
            clients[youtube] = BoundedYoutubeDL(options)
        return clients[youtube]

    def _check_progress(self, state: Mapping[str, Any]) -> None:
        """Cancel a download that is too large, or whose job is stopped; called per block."""
        from yt_dlp.utils import DownloadCancelled

        size = max(state.get("downloaded_bytes") or 0, state.get("total_bytes") or 0)
        if self._is_stopped() or size > self._limit:
            raise DownloadCancelled


def _youtube_arguments(settings: DownloadSettings) -> dict[str, list[str]]:
    """The arguments of yt-dlp's extractor of YouTube; those without a value are its own choice."""
    arguments = {"player_client": settings.player_clients, "po_token": settings.po_tokens}
    return {name: list(values) for name, values in arguments.items() if values}
