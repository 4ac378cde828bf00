"""Finds trailers that show the same shots: copies in another size or quality, cut or extended.

Reads contact sheets and embeddings. Must not know how a copy is reported.
"""

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from trailers12k.video import contact_sheets

CELL = (16, 9)
"""Width and height to which frames are reduced for comparison: so small that differences in size
and compression vanish."""
SAME_FRAME = 0.95
"""Correlation above which two frames show the same. Measured with 41 trailers of the sample: copies
at crf 32 and 40, in another size, or half a second shorter exceed it in at least two of three
shots, different trailers in at most one of three. 0.90 to 0.97 separate them as well, 0.85 does
not."""
SAME_SHARE = 0.5
"""Share of the shots of the trailer with fewer shots from which two trailers count as copies."""
FLAT = 4
"""Standard deviation of the grey values below which a frame shows nothing: black, a plain card."""
DARK = 24
"""Grey value that every row of a real picture exceeds somewhere; darker rows are a black bar."""
CLOSE = 0.25
"""Share of the median distance to the nearest trailer below which features alone identify a copy.
This finds the same file and files with minor changes. Re-encoded copies of the sample's trailers,
four seconds long, have 0.35 to 1.5 with untrained backbones; contact sheets find those."""

Pair = tuple[str, str]
"""Two mids, the smaller one first."""


def pairs(
    trailers: pd.DataFrame, embeddings: Mapping[str, pd.DataFrame], sheets: Path | None
) -> dict[Pair, str]:
    """Pairs of trailers that show the same shots -> the reason.

    trailers: with `mid` and `shots`. embeddings: store -> rows of `mid,nearest,distance`. sheets:
    folder of contact sheets. Candidates are nearest neighbours in any store. Where both have a
    contact sheet, their frames decide; otherwise the distances do, when they are below `CLOSE` in
    most stores.
    """
    close = _close_pairs(embeddings)
    shots = pd.to_numeric(trailers.set_index("mid")["shots"], errors="coerce")

    @lru_cache(maxsize=20_000)
    def frames(mid: str) -> np.ndarray | None:
        number = shots.get(mid, 0)
        if sheets is None or not number >= 1:
            return None
        return frames_of(sheets / f"{mid}.jpg", int(number))

    reasons = {}
    for pair in sorted(_candidates(embeddings)):
        one, other = frames(pair[0]), frames(pair[1])
        if one is None or other is None:
            if pair in close:
                reasons[pair] = f"their feature distance is {close[pair]:.0%} of the median"
            continue
        same, compared = shared_frames(one, other)
        if compared and same >= SAME_SHARE * compared:
            reasons[pair] = f"{same} of {compared} shots are the same"
    return reasons


def _pair(one: str, other: str) -> Pair:
    return (one, other) if one < other else (other, one)


def _candidates(embeddings: Mapping[str, pd.DataFrame]) -> set[Pair]:
    return {
        _pair(mid, nearest)
        for table in embeddings.values()
        for mid, nearest in zip(table["mid"], table["nearest"].fillna(""), strict=True)
        if mid and nearest
    }


def _close_pairs(embeddings: Mapping[str, pd.DataFrame]) -> dict[Pair, float]:
    """Pairs that are close in most stores -> the largest of their relative distances there."""
    distances: dict[Pair, list[float]] = {}
    stores: Counter[str] = Counter()
    for table in embeddings.values():
        absolute = pd.to_numeric(table["distance"], errors="coerce")
        median = absolute.median()
        stores.update(table["mid"])
        if not median > 0:
            continue
        # Both movies of a pair may name each other; the pair counts once per store.
        in_store: dict[Pair, float] = {}
        for mid, nearest, value in zip(
            table["mid"], table["nearest"], absolute / median, strict=True
        ):
            if value < CLOSE:
                in_store[_pair(mid, nearest)] = value
        for pair, value in in_store.items():
            distances.setdefault(pair, []).append(value)
    return {
        pair: max(values)
        for pair, values in distances.items()
        if len(values) > min(stores[mid] for mid in pair) / 2
    }


def frames_of(sheet: Path, shots: int) -> np.ndarray | None:
    """The frames of a contact sheet, reduced and standardised: float32 (frames, pixels).

    Flat frames are left out. None without a sheet of this many shots.
    """
    images = contact_sheets.cells(sheet, shots)
    if not images:
        return None
    cells = np.stack([np.asarray(image.convert("L"), np.float32) for image in images])
    top, bottom = _picture_range(cells.max(axis=(0, 2)))
    left, right = _picture_range(cells.max(axis=(0, 1)))
    small = np.stack(
        [
            np.asarray(Image.fromarray(cell).resize(CELL, Image.Resampling.BOX))
            for cell in cells[:, top:bottom, left:right]
        ]
    ).reshape(len(cells), -1)
    small -= small.mean(1, keepdims=True)
    deviation = small.std(1, keepdims=True)
    structured = deviation[:, 0] > FLAT
    return small[structured] / (deviation[structured] * np.sqrt(small.shape[1]))


def _picture_range(brightest: np.ndarray) -> tuple[int, int]:
    """First and last + 1 of the rows (or columns) between black bars; all where all are dark.

    brightest: the largest grey value of each row (or column).
    """
    lit = np.flatnonzero(brightest >= DARK)
    return (int(lit[0]), int(lit[-1]) + 1) if len(lit) else (0, len(brightest))


def shared_frames(one: np.ndarray, other: np.ndarray) -> tuple[int, int]:
    """Of two results of `frames_of`: frames of the shorter that the other has, and its length."""
    if len(one) > len(other):
        one, other = other, one
    if not len(one):
        return 0, 0
    return int(((one @ other.T).max(1) > SAME_FRAME).sum()), len(one)
