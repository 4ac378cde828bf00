"""Small frames of many trailers in a few pictures, for pages that show them.

Reads contact sheets (build/sheets/MID.jpg). Must not know pages, nor what a sheet looks like.
"""

import io
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

from trailers12k.video import contact_sheets as sheets

BUDGET = 3_000_000
"""Bytes of all pictures of a page; a third more in base64."""
TIERS = (
    (300, 4, 128, 72),
    (1_000, 4, 80, 45),
    (3_000, 3, 64, 36),
    (8_000, 2, 48, 27),
    (20_000, 1, 48, 27),
)
"""Up to so many trailers: frames of each, their width and height."""
QUALITIES = (70, 50, 30, 15)
PER_PICTURE = 192
"""Trailers of one picture, so that a page decodes no more than it shows. WebP allows no more than
16,383 pixels of height."""


@dataclass(frozen=True)
class Sprites:
    """Frames of trailers: `count` beside each other a trailer, one below the other.

    mids: in the order of the pictures, `PER_PICTURE` in each. pictures: WebP, as data URIs.
    """

    width: int
    height: int
    count: int
    mids: list[str]
    pictures: list[str]


def build(folder: str | Path, shots: Mapping[str, int]) -> Sprites | None:
    """The frames of all trailers that have a sheet, as many and as large as `BUDGET` allows.

    shots: mid -> shots of its trailer. None where there is no sheet, or too many trailers.
    """
    paths = {mid: Path(folder) / f"{mid}.jpg" for mid in sorted(shots)}
    mids = [mid for mid, path in paths.items() if path.exists()]
    tier = next((tier[1:] for tier in TIERS if len(mids) <= tier[0]), None)
    if not mids or tier is None:
        return None
    count, width, height = tier
    starts = range(0, len(mids), PER_PICTURE)
    tiles = [
        _strip([(paths[mid], shots[mid]) for mid in mids[start : start + PER_PICTURE]], *tier)
        for start in starts
    ]
    for quality in QUALITIES:
        encoded = [_webp(tile, quality) for tile in tiles]
        if sum(map(len, encoded)) <= BUDGET:
            told = [f"data:image/webp;base64,{b64encode(data).decode()}" for data in encoded]
            return Sprites(width, height, count, mids, told)
    return None


def _strip(
    trailers: Sequence[tuple[Path, int]], count: int, width: int, height: int
) -> Image.Image:
    """The frames of some trailers, one below the other; grey where a sheet is of no use."""
    strip = Image.new("RGB", (width * count, height * len(trailers)), sheets.GREY)
    for row, (path, shots) in enumerate(trailers):
        found = sheets.frames(path, shots, count)
        # Of few shots each is there more than once.
        for place in range(count if found else 0):
            frame = found[place * len(found) // count]
            frame = ImageOps.pad(frame, (width, height), Image.Resampling.BICUBIC)
            strip.paste(frame, (place * width, row * height))
    return strip


def _webp(picture: Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=quality, method=4)
    return file.getvalue()


def of_rows(rows: Sequence[Mapping]) -> dict[str, int]:
    """mid -> shots, of rows of trailers.csv that have any."""
    return {row["mid"]: int(row["shots"]) for row in rows if row["shots"]}
