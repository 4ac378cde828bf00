"""Pictures of waveforms: what can be heard of a trailer, from its beginning to its end.

Reads build/waveforms/MID.bin; writes PNG files. Must not know the page that shows them.
"""

from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

from trailers12k.common.files import inside
from trailers12k.video import waveforms

HEIGHT = 32
"""Pixels of a picture, of which the loudest sample takes all."""
COLUMNS = 6000
"""Most pixels of its width: five minutes at full detail. Browsers refuse very wide pictures."""
COLOUR = (74, 134, 197)
"""Visible on the white and on the dark page: a contrast of at least 3 to 1 with both."""
SECONDS = "Seconds"
"""Keyword of the PNG file for the seconds that it shows."""


def draw(source: Path, target: Path) -> None:
    """Draws the peaks of a file of `video.waveforms`, one column each, on a transparent ground.

    The same peaks give the same bytes. Raises ValueError for a file without any.
    """
    peaks = waveforms.read(source)
    if not len(peaks):
        raise ValueError("it holds no peaks")
    about = PngImagePlugin.PngInfo()
    about.add_text(SECONDS, f"{len(peaks) / waveforms.PER_SECOND:.2f}")
    picture = Image.fromarray(_bars(_reduced(peaks)).astype(np.uint8), "P")
    picture.putpalette([255, 255, 255, *COLOUR])
    picture.save(target, "PNG", pnginfo=about, transparency=0, bits=1, optimize=True)


def seconds_of(folder: Path, mid: str) -> float:
    """The seconds that a picture shows, 0.0 without a readable one.

    Reads no image data, which would take minutes for many pictures.
    """
    try:
        with Image.open(inside(folder, f"{mid}.png")) as picture:
            return float(picture.info.get(SECONDS, 0))
    except (OSError, SyntaxError, ValueError):
        return 0.0


def _reduced(peaks: np.ndarray) -> np.ndarray:
    """At most `COLUMNS` peaks, each the greatest of those that it stands for."""
    if len(peaks) <= COLUMNS:
        return peaks
    return np.maximum.reduceat(peaks, np.arange(COLUMNS) * len(peaks) // COLUMNS)


def _bars(peaks: np.ndarray) -> np.ndarray:
    """bool (HEIGHT, columns): bars around the middle, two pixels high where nothing is heard."""
    middle = (HEIGHT - 1) / 2
    heights = np.maximum(1, peaks.astype(float) / 255 * HEIGHT / 2)
    return np.abs(np.arange(HEIGHT) - middle)[:, None] < heights[None]
