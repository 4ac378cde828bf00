"""The settings of a stage of downloads.

Reads and writes nothing. Must not know the configuration's structure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from trailers12k.downloads.bounds import Bounds


@dataclass(frozen=True)
class DownloadSettings:
    """How the files of a stage are downloaded.

    max_megabytes: largest file. retries: immediate retries. timeout: seconds without data.
    retry_pause: seconds until the first retry in a later run. pause: see `HostRateLimiter`.
    retry: the reasons that the user wants retried now. parallel: concurrent downloads.
    least_rate: kilobytes a second. most_time: seconds of one attempt.
    short_side: preferred size of trailers in pixels. cookies: path of a file in Netscape's format.
    player_clients: names of YouTube's players; empty: yt-dlp's choice. po_token: tokens for them,
    joined by commas, a secret.
    """

    max_megabytes: float
    retries: int
    timeout: float
    retry_pause: float
    pause: Mapping[str, Sequence[float]]
    retry: str = ""
    parallel: int = 1
    short_side: int = 360
    cookies: str | None = None
    least_rate: float = 1.0
    most_time: float = 3600.0
    player_clients: Sequence[str] = ()
    po_token: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "DownloadSettings":
        """The settings from a mapping that may have further keys."""
        return cls(
            **{each.name: settings[each.name] for each in fields(cls) if each.name in settings}
        )

    @property
    def bounds(self) -> Bounds:
        """The bounds of one attempt at one file."""
        return Bounds(1000 * self.least_rate, self.most_time)

    @property
    def limit(self) -> int:
        """Bytes of the largest file."""
        return int(self.max_megabytes * 1e6)

    @property
    def po_tokens(self) -> list[str]:
        """The tokens of `po_token`, each as CLIENT.CONTEXT+TOKEN."""
        return [token.strip() for token in (self.po_token or "").split(",") if token.strip()]
