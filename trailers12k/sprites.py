"""Small frames of many trailers in a few pictures, for pages that show them.

Reads contact sheets (build/sheets/MID.jpg). Must not know pages, nor how sheets are made.
"""

import io
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

CELL_HEIGHT = 90
"""Of a cell of a contact sheet, in pixels."""
COLUMNS = 10
MOST_CELLS = 1000
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


def frames(sheet: str | Path, shots: int, count: int, width: int, height: int) -> list[Image.Image]:
    """`count` frames of a contact sheet, evenly spaced in time, each whole within width x height.

    The sheet has one cell a shot, row by row, at most `MOST_CELLS`.
    """
    cells = max(1, min(shots, MOST_CELLS))
    columns = min(COLUMNS, cells)
    with Image.open(sheet) as picture:
        rows = -(-cells // columns)
        cell = picture.width / columns, picture.height / rows
        # A JPEG can be read at a fraction of its size, which is most of the time.
        whole = picture.size
        picture.draft("RGB", (int(whole[0] * height / cell[1]), int(whole[1] * height / cell[1])))
        scale = picture.width / whole[0], picture.height / whole[1]
        picture = picture.convert("RGB")
    found = []
    for number in range(count):
        place = int((number + 0.5) * cells / count)
        left, top = (place % columns) * cell[0] * scale[0], (place // columns) * cell[1] * scale[1]
        box = (left, top, left + cell[0] * scale[0], top + cell[1] * scale[1])
        cut = picture.crop(tuple(round(edge) for edge in box))
        found.append(ImageOps.pad(cut, (width, height), Image.Resampling.BICUBIC))
    return found


def build(sheets: str | Path, shots: Mapping[str, int]) -> Sprites | None:
    """The frames of all trailers that have a sheet, as many and as large as `BUDGET` allows.

    shots: mid -> shots of its trailer. None where there is no sheet, or too many trailers.
    """
    there = {mid: Path(sheets) / f"{mid}.jpg" for mid in sorted(shots)}
    there = {mid: path for mid, path in there.items() if path.exists()}
    tier = next((tier[1:] for tier in TIERS if len(there) <= tier[0]), None)
    if not there or tier is None:
        return None
    count, width, height = tier
    mids = list(there)
    tiles = [
        _strip({mid: (there[mid], shots[mid]) for mid in mids[start : start + PER_PICTURE]}, *tier)
        for start in range(0, len(mids), PER_PICTURE)
    ]
    for quality in QUALITIES:
        encoded = [_webp(tile, quality) for tile in tiles]
        if sum(map(len, encoded)) <= BUDGET:
            told = [f"data:image/webp;base64,{b64encode(data).decode()}" for data in encoded]
            return Sprites(width, height, count, mids, told)
    return None


def _strip(
    sheets: Mapping[str, tuple[Path, int]], count: int, width: int, height: int
) -> Image.Image:
    strip = Image.new("RGB", (width * count, height * len(sheets)))
    for row, (path, shots) in enumerate(sheets.values()):
        for place, frame in enumerate(frames(path, shots, count, width, height)):
            strip.paste(frame, (place * width, row * height))
    return strip


def _webp(picture: Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=quality, method=4)
    return file.getvalue()


def of_rows(rows: Sequence[Mapping]) -> dict[str, int]:
    """mid -> shots, of rows of trailers.csv that have any."""
    return {row["mid"]: int(row["shots"]) for row in rows if row["shots"]}
