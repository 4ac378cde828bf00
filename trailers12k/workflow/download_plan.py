"""Settings and retry rounds of the downloads of trailers and posters.

Reads what earlier jobs left open (build/STAGE/open/SHARD.json). Must not know how files are
downloaded.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from trailers12k.downloads import retries
from trailers12k.downloads.settings import DownloadSettings
from trailers12k.settings import Settings, plain


def retry_round(settings: Settings, folder: str, shard: str) -> int:
    """The number of a shard's retry round. It grows when a failure is due for a retry.

    folder: where the stage keeps its records, such as build/trailers.
    """
    pause = settings.downloads.retry_pause
    return retries.next_retry_round(Path(folder), shard, pause, settings.retry)


def retry_round_of(settings: Settings, folder: str) -> Callable[[Any], int]:
    """Param: `retry_round` of the job's shard."""

    def round_of(wildcards: Any) -> int:
        return retry_round(settings, folder, wildcards.shard)

    return round_of


def download_settings(
    settings: Settings, stage: Literal["trailers", "posters"]
) -> DownloadSettings:
    """The settings of a stage, from `downloads`, the stage's own section, and `retry`."""
    own = settings.trailers if stage == "trailers" else settings.posters
    merged = plain(settings.downloads) | plain(own) | {"retry": settings.retry}
    return DownloadSettings.of(merged)
