"""The share of speech in clips and trailers, from a store of speech activity.

Reads a store and clips.csv. Must not know what finds the speech, nor who shows the shares.
"""

import logging
from pathlib import Path

import numpy as np
import pandas as pd

from trailers12k.evaluation.frames import read_frame
from trailers12k.features import store as stores

log = logging.getLogger(__name__)


def clip_speech(store: str | Path, mid: str, clips: int) -> np.ndarray | None:
    """The share of each of a movie's clips that is speech, float64 (clips,), from 0 to 1.

    None where the store lacks the movie, or has it with another number of clips.
    """
    try:
        values = stores.read(Path(store), mid)
    except KeyError:
        return None
    if values.shape != (clips, 1) or not np.isfinite(values).all():
        log.warning("%s: %s has the shape %s, not one share per clip", store, mid, values.shape)
        return None
    return values[:, 0].astype(np.float64).clip(0, 1)


def speech_shares(store: str | Path, clips: str | Path) -> dict[str, float]:
    """mid -> the share of the seconds of its clips that is speech, for the movies of a store.

    clips: data/clips.csv, whose row i of a movie belongs to row i of its array.
    """
    numbers = ["start", "end"]
    table = read_frame(clips, ["mid", *numbers], numbers, usecols=["mid", *numbers])
    shares = {}
    for mid, rows in _by_movie(table):
        speech = clip_speech(store, mid, len(rows))
        seconds = (rows["end"] - rows["start"]).to_numpy()
        if speech is not None and seconds.sum() > 0:
            shares[mid] = float(np.average(speech, weights=seconds))
    return shares


def _by_movie(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The rows of each movie, in their order."""
    return [(str(mid), rows) for mid, rows in table.groupby("mid", sort=False)]
