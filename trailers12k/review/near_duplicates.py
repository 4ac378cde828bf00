"""Trailers that show the same pictures: copies in another size or quality, cut or extended.

Reads contact sheets and tables of nearest neighbours. Must not know what is done about a copy.
"""

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from trailers12k.video import contact_sheets as sheets

CELL = (16, 9)
"""Width and height of what is compared of a frame: small enough that neither size nor compression
matters."""
ALIKE = 0.95
"""Correlation from which two frames show the same. Of 41 painted trailers, copies at crf 32 and 40,
in another size, or half a second shorter correlate by more in at least two of three shots,
different ones in one of three at most; 0.90 to 0.97 tell them apart as well, 0.85 does not."""
SHARE = 0.5
"""Of the shots of the one that has fewer: from here on it is the other trailer, or a part of it."""
FLAT = 4
"""Standard deviation of the grey values below which a frame shows nothing: black, a plain card."""
DARK = 24
"""Grey value that no picture stays below, so that a row that does is a black bar."""
CLOSE = 0.25
"""Share of the usual distance to the nearest trailer that tells a copy where there are no pictures.
It finds the same file, and what was hardly changed: copies of the painted trailers, four seconds
long and seen by untrained networks, have 0.35 to 1.5. So the pictures decide where they are."""


def pairs(
    trailers: pd.DataFrame, maps: Mapping[str, pd.DataFrame], pictures: Path | None
) -> dict[tuple[str, str], str]:
    """Trailers that show the same: two mids, the lesser first -> how that is known.

    trailers: with `mid` and `shots`. maps: of stores: `mid,nearest,distance`.
    pictures: folder of contact sheets. Features say who may be a copy of whom: the nearest, in any
        store. The pictures of the shots then decide, where both have a sheet. Where not, distances
        do, when they are as small as `CLOSE` in most stores.
    """
    close = _close(maps)
    shots = pd.to_numeric(trailers.set_index("mid")["shots"], errors="coerce")

    @lru_cache(maxsize=20_000)
    def looks(mid: str) -> np.ndarray | None:
        number = shots.get(mid, 0)
        if pictures is None or not number >= 1:
            return None
        return looks_of(pictures / f"{mid}.jpg", int(number))

    found = {}
    for pair in sorted(_candidates(maps)):
        one, other = map(looks, pair)
        if one is None or other is None:
            if pair in close:
                found[pair] = f"its features differ by {close[pair]:.0%} of what is usual"
            continue
        same, of = shared(one, other)
        if of and same >= SHARE * of:
            found[pair] = f"{same} of {of} shots are the same"
    return found


def _candidates(maps: Mapping[str, pd.DataFrame]) -> set[tuple[str, str]]:
    several = [
        zip(table["mid"], table["nearest"].fillna(""), strict=True) for table in maps.values()
    ]
    return {tuple(sorted(pair)) for pairs in several for pair in pairs if all(pair)}


def _close(maps: Mapping[str, pd.DataFrame]) -> dict[tuple[str, str], float]:
    """Pairs that are close in most stores -> the largest of their relative distances there."""
    near: dict[tuple[str, str], list[float]] = {}
    stores: Counter = Counter()
    for table in maps.values():
        distances = pd.to_numeric(table["distance"], errors="coerce")
        usual = distances.median()
        stores.update(table["mid"])
        if not usual > 0:
            continue
        relative = distances / usual
        here: dict[tuple[str, str], float] = {}
        for mid, nearest, value in zip(table["mid"], table["nearest"], relative, strict=True):
            if value < CLOSE:
                here[tuple(sorted((mid, nearest)))] = value
        for pair, value in here.items():
            near.setdefault(pair, []).append(value)
    return {
        pair: max(values)
        for pair, values in near.items()
        if len(values) > min(stores[mid] for mid in pair) / 2
    }


def looks_of(sheet: Path, shots: int) -> np.ndarray | None:
    """The frames of a contact sheet, small and standardised: float32 (frames, pixels). Those that
    show nothing are left out; None without a sheet of so many shots."""
    several = sheets.cells(sheet, shots)
    if not several:
        return None
    cells = np.stack([np.asarray(cell.convert("L"), np.float32) for cell in several])
    top, bottom = _shown(cells.max(axis=(0, 2)))
    left, right = _shown(cells.max(axis=(0, 1)))
    small = np.stack(
        [
            np.asarray(Image.fromarray(cell).resize(CELL, Image.Resampling.BOX))
            for cell in cells[:, top:bottom, left:right]
        ]
    ).reshape(len(cells), -1)
    small -= small.mean(1, keepdims=True)
    spread = small.std(1, keepdims=True)
    told = spread[:, 0] > FLAT
    return small[told] / (spread[told] * np.sqrt(small.shape[1]))


def _shown(brightest: np.ndarray) -> tuple[int, int]:
    """First and last + 1 of the rows, or columns, between black bars; all where all is dark."""
    lit = np.flatnonzero(brightest >= DARK)
    return (int(lit[0]), int(lit[-1]) + 1) if len(lit) else (0, len(brightest))


def shared(one: np.ndarray, other: np.ndarray) -> tuple[int, int]:
    """How many frames of the shorter of two `looks_of` are in the other, and how many it has."""
    if len(one) > len(other):
        one, other = other, one
    if not len(one):
        return 0, 0
    return int(((one @ other.T).max(1) > ALIKE).sum()), len(one)
