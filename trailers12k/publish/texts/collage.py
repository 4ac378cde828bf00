"""collage.jpg: single frames of trailers, none larger than the configuration allows.

Reads contact sheets (build/sheets/MID.jpg) and results/tables/trailers.csv. Must not know pages.
"""

import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING

from trailers12k.common.files import inside, read_csv

if TYPE_CHECKING:
    from PIL.Image import Image

MOST = 60
"""Frames of a collage."""
COLUMNS = 10
SEED = "collage"
CANDIDATES = 5
"""Shots of a trailer of which the one with most contrast is shown, since many are black."""
QUALITY = 85
WIDEST = 160
"""Pixels of a frame in a contact sheet; a larger one would be blurred."""
RATIO = 9 / 16
"""Height of a frame by its width; pictures of another shape are cropped."""


def picture(folder: str | Path, side: int) -> bytes:
    """The JPEG file of a run in a folder; empty where no contact sheet is there.

    side: the longest side of a frame in pixels. The same sheets give the same bytes.
    """
    from PIL import Image

    width = min(side, WIDEST)
    height = max(1, round(width * RATIO))
    frames = _frames(Path(folder), (width, height))
    if not frames:
        return b""
    columns = min(COLUMNS, len(frames))
    rows = len(frames) // columns
    whole = Image.new("RGB", (columns * width, rows * height))
    for place, frame in enumerate(frames[: columns * rows]):
        whole.paste(frame, (place % columns * width, place // columns * height))
    file = io.BytesIO()
    whole.save(file, "JPEG", quality=QUALITY, optimize=True)
    return file.getvalue()


def _frames(folder: Path, size: tuple[int, int]) -> "list[Image]":
    """Frames of up to `MOST` trailers, which a hash of their mids chooses and orders."""
    rows = read_csv(folder / "results/tables/trailers.csv", ["mid", "shots"], counts=["shots"])
    shots = {row["mid"]: int(row["shots"]) for row in rows if row["shots"] not in ("", "0")}
    frames: list[Image] = []
    for mid in sorted(shots, key=lambda mid: hashlib.sha256(f"{SEED} {mid}".encode()).digest()):
        frame = _frame(inside(folder / "build/sheets", f"{mid}.jpg"), shots[mid], size)
        frames += [frame] if frame else []
        if len(frames) == MOST:
            break
    return frames


def _frame(sheet: Path, shots: int, size: tuple[int, int]) -> "Image | None":
    """The frame with most contrast of some shots; None without a readable sheet."""
    from PIL import Image, ImageOps, ImageStat

    from trailers12k.video import contact_sheets

    candidates = contact_sheets.frames(sheet, shots, CANDIDATES)
    if not candidates:
        return None
    best = max(candidates, key=lambda frame: ImageStat.Stat(frame.convert("L")).stddev[0])
    return ImageOps.fit(best, size, Image.Resampling.LANCZOS)
