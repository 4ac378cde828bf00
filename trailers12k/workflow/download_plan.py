"""Settings and retry rounds of the downloads of trailers and posters.

Reads what earlier jobs left open (build/STAGE/open/SHARD.json). Must not know how files are
downloaded.
"""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from trailers12k.downloads import retries
from trailers12k.downloads.settings import DownloadSettings
from trailers12k.settings import Settings, plain
from trailers12k.workflow.user_errors import one_line_errors

STAGES: dict[str, Literal["trailers", "posters"]] = {
    "build/trailers": "trailers",
    "build/posters": "posters",
}
"""Folder of records -> the stage, whose settings refuse files."""
PO_TOKEN = "YOUTUBE_PO_TOKEN"  # nosec B105  # a variable's name
"""The environment variable that holds the token for YouTube."""


def retry_round(settings: Settings, folder: str, shard: str) -> int:
    """The number of a shard's retry round. It grows when a failure is due for a retry.

    folder: where the stage keeps its records, such as build/trailers.
    """
    stage = STAGES.get(folder)
    limits = download_settings(settings, stage).limits if stage else retries.NO_LIMITS
    pause = settings.downloads.retry_pause
    return retries.next_retry_round(Path(folder), shard, pause, settings.retry, limits)


def retry_round_of(settings: Settings, folder: str) -> Callable[[Any], int]:
    """Param: `retry_round` of the job's shard."""

    def round_of(wildcards: Any) -> int:
        # Snakemake prints what an input function raises as a traceback.
        with one_line_errors():
            return retry_round(settings, folder, wildcards.shard)

    return round_of


def preferred_file(settings: Settings) -> int | dict[str, Any]:
    """Param: the size of trailers, and `refetch` where it is set: else the value is that of
    versions before `refetch`, whose jobs stay as they are."""
    side, refetch = settings.trailers.short_side, settings.trailers.refetch
    return side if refetch is None else {"short_side": side, "refetch": refetch}


def download_settings(
    settings: Settings, stage: Literal["trailers", "posters"]
) -> DownloadSettings:
    """The settings of a stage, from `downloads`, the stage's own section, and `retry`.

    The plain form of settings has no secrets, so the token for YouTube is added here.
    """
    own = settings.trailers if stage == "trailers" else settings.posters
    token = settings.trailers.po_token or os.environ.get(PO_TOKEN) or None
    merged = plain(settings.downloads) | plain(own) | {"retry": settings.retry, "po_token": token}
    return DownloadSettings.of(merged)


def prediction_settings(settings: Settings) -> DownloadSettings:
    """The settings of a trailer whose genres are predicted: one with sound is preferred to one of
    the size where a run hears."""
    own = download_settings(settings, "trailers")
    hears = any("audio" in run.streams for run in settings.trained_runs.values())
    return replace(own, refetch=own.refetch or ("no_sound" if hears else None))
