"""The settings of a stage of downloads.

Reads and writes nothing. Must not know the configuration's structure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from trailers12k.downloads.addresses import Private
from trailers12k.downloads.bounds import Bounds
from trailers12k.jobs.runner import Limits


@dataclass(frozen=True)
class DownloadSettings:
    """How the files of a stage are downloaded.

    max_megabytes: largest file. max_megapixels: of a poster, or of a frame of a trailer.
    max_minutes: longest trailer. retries: immediate retries. timeout: seconds without data.
    retry_pause: seconds until the first retry in a later run. pause: see `HostRateLimiter`.
    retry: the reasons that the user wants retried now. parallel: concurrent downloads.
    least_rate: kilobytes a second. most_time: seconds of one attempt. private_addresses: whether
    addresses of local networks and of this machine may be contacted. named_by_user: whether the
    user names the address, and no table, so that it may be private anyway.
    short_side: preferred size of trailers in pixels. refetch: "no_sound" to fetch trailers without
    sound again, and to prefer sound to the size. cookies: path of a file in Netscape's format.
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
    refetch: str | None = None
    max_megapixels: float = 36.0
    max_minutes: float = 60.0
    cookies: str | None = None
    least_rate: float = 1.0
    most_time: float = 3600.0
    private_addresses: bool = False
    named_by_user: bool = False
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
        private = Private.NAMED if self.named_by_user else Private.NEVER
        if self.private_addresses:
            private = Private.ALWAYS
        return Bounds(1000 * self.least_rate, self.most_time, private)

    @property
    def limits(self) -> Limits:
        """The limits that refuse files, by the reason of the failure."""
        sizes = {
            name: f"{name}={float(getattr(self, name))!r}"
            for name in ("max_megabytes", "max_megapixels", "max_minutes")
        }
        return {
            "too_large": tuple(sizes.values()),
            # Where only the frames state their size.
            "corrupt": (sizes["max_megapixels"],),
            "unsafe_address": (f"private_addresses={self.private_addresses}",),
        }

    @property
    def prefers_sound(self) -> bool:
        """Whether a trailer with sound is preferred to one of the size."""
        return self.refetch is not None

    @property
    def limit(self) -> int:
        """Bytes of the largest file."""
        return int(self.max_megabytes * 1e6)

    @property
    def po_tokens(self) -> list[str]:
        """The tokens of `po_token`, each as CLIENT.CONTEXT+TOKEN."""
        return [token.strip() for token in (self.po_token or "").split(",") if token.strip()]
