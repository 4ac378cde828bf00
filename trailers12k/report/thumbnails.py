"""Packs small frames of many trailers into a few pictures for the report page.

Reads contact sheets (build/sheets/MID.jpg). Must not know pages, nor the layout of a sheet.
"""

import io
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

from trailers12k.common.files import inside
from trailers12k.video import contact_sheets

BUDGET = 3_000_000
"""Bytes of all pictures of a page; base64 adds a third."""
TIERS = (
    (300, 4, 128, 72),
    (1_000, 4, 80, 45),
    (3_000, 3, 64, 36),
    (8_000, 2, 48, 27),
    (20_000, 1, 48, 27),
)
"""Largest number of trailers, frames of each, width and height of a frame in pixels."""
QUALITIES = (70, 50, 30, 15)
"""Qualities of WebP, tried in this order until the pictures fit the budget."""
PER_PICTURE = 192
"""Trailers in one picture. A page decodes only the pictures it shows, and the format WebP limits a
picture to 16,383 rows of pixels."""


@dataclass(frozen=True)
class Thumbnails:
    """Frames of trailers: `count` side by side per trailer, one trailer below the other.

    width, height: pixels of a frame. mids: in the order of the pictures, `PER_PICTURE` in each.
    pictures: WebP, as data URIs.
    """

    width: int
    height: int
    count: int
    mids: list[str]
    pictures: list[str]


def build(folder: str | Path, shots: Mapping[str, int]) -> Thumbnails | None:
    """The frames of all trailers that have a contact sheet, as many and large as `BUDGET` allows.

    folder: of contact sheets. shots: mid -> shots of its trailer. Returns None without any sheet,
    and for more trailers than the budget allows.
    """
    paths = {mid: inside(folder, f"{mid}.jpg") for mid in sorted(shots)}
    mids = [mid for mid, path in paths.items() if path.exists()]
    tier = next((tier[1:] for tier in TIERS if len(mids) <= tier[0]), None)
    if not mids or tier is None:
        return None
    count, width, height = tier
    strips = [
        _strip([(paths[mid], shots[mid]) for mid in mids[start : start + PER_PICTURE]], *tier)
        for start in range(0, len(mids), PER_PICTURE)
    ]
    for quality in QUALITIES:
        encoded = [_webp(strip, quality) for strip in strips]
        if sum(map(len, encoded)) <= BUDGET:
            uris = [f"data:image/webp;base64,{b64encode(data).decode()}" for data in encoded]
            return Thumbnails(width, height, count, mids, uris)
    return None


def _strip(
    trailers: Sequence[tuple[Path, int]], count: int, width: int, height: int
) -> Image.Image:
    """The frames of some trailers, one trailer per row; grey where a sheet cannot be used."""
    strip = Image.new("RGB", (width * count, height * len(trailers)), contact_sheets.GREY)
    for row, (path, shots) in enumerate(trailers):
        frames = contact_sheets.frames(path, shots, count)
        # A trailer with fewer shots than `count` repeats them.
        for place in range(count if frames else 0):
            frame = frames[place * len(frames) // count]
            frame = ImageOps.pad(frame, (width, height), Image.Resampling.BICUBIC)
            strip.paste(frame, (place * width, row * height))
    return strip


def _webp(picture: Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=quality, method=4)
    return file.getvalue()


def shots_of(rows: Iterable[Mapping[str, str]]) -> dict[str, int]:
    """mid -> number of shots, from the rows of trailers.csv that have any."""
    return {row["mid"]: int(row["shots"]) for row in rows if row["shots"]}
