"""Statistics of a trailer's frames, gathered while a shot detector consumes them.

Reads frames and passes them on, scaled down; keeps one image per shot. Must not know who decodes
the frames, what else they are used for, or what becomes of the images.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from trailers12k.video.bars import BarMeter
from trailers12k.video.picture import Bars

SAMPLES_PER_SECOND = 4
"""Frames per second that are compared, and kept for the images of shots."""

MAX_BYTES = 160_000_000
"""Limit of the frames kept at once: 15 minutes of 160x90. In a longer video every other kept frame
is dropped, repeatedly: of twelve hours one in 16 seconds remains, and shots between two of them
have no image."""

BLACK_LEVEL, BLACK_FRACTION = 20, 0.01
"""A frame is black when less than this fraction of its values (three per pixel) reaches the level.
Letterbox bars do not matter. A line of text on black exceeds the fraction."""

CHANGE_LEVEL, CHANGE_FRACTION = 8, 0.01
"""A frame is still when less than this fraction of its values differs by the level or more from the
last frame that was not still.

Measured at 48x27 on a 640x360 photograph with grain, encoded with x264 (crf 23 to 35), MPEG-4 (400
and 250 kbit/s) and VP9 (200 kbit/s): without motion at most 0.006 differ, key frames included (crf
40: 0.013, at key frames); with a camera that moves ten pixels per second 0.085 or more. Not
detected: motion in 1 % of the frame, and motion in the dark (a mean of 10). In files of much lower
bit rates key frames count as changes."""


class FrameStatistics:
    """Iterates over frames, scaled down, and gathers their statistics; read these afterwards.

    frames: RGB, uint8 (H, W, 3), on a grid of `fps` per second. A repeated frame must be the same
        object; it is scaled once.
    size: shorter side in pixels of the frames passed on. Smaller frames are not enlarged.
    min_shot: frames of the shortest shot, each of which must have an image.
    """

    def __init__(self, frames: Iterable[np.ndarray], fps: float, size: int, min_shot: int):
        self._frames, self._fps, self._size = frames, fps, size
        self._sampling = max(1, round(fps / SAMPLES_PER_SECOND))
        self._step = min(self._sampling, min_shot)
        self._kept: list[np.ndarray] = []
        self._reference: np.ndarray | None = None
        self._samples = self._black = self._still = self._run = self._longest_run = 0
        self._bars = BarMeter()
        self.repeated = 0
        """Number of frames that repeat the previous one."""

    def __iter__(self) -> Iterator[np.ndarray]:
        previous, small = None, np.empty(0, np.uint8)
        for number, frame in enumerate(self._frames):
            if frame is previous:
                self.repeated += 1
            else:
                previous, small = frame, scaled_down(frame, self._size)
            if number % self._sampling == 0:
                self._compare(small)
                self._bars.add(frame)
            if number % self._step == 0:
                self._keep(frame)
            yield small

    def _compare(self, sample: np.ndarray) -> None:
        self._samples += 1
        bright = int(np.count_nonzero(sample >= BLACK_LEVEL))
        self._black += bright < BLACK_FRACTION * sample.size
        if self._reference is not None and not _differ(self._reference, sample):
            self._still += 1
            self._run += 1
            self._longest_run = max(self._longest_run, self._run)
        else:
            self._reference, self._run = sample, 0

    def _keep(self, frame: np.ndarray) -> None:
        self._kept.append(frame)
        if len(self._kept) * frame.nbytes > MAX_BYTES and len(self._kept) > 1:
            self._kept = self._kept[::2]
            self._step *= 2

    @property
    def black(self) -> float:
        """Fraction of the samples that are black."""
        return self._black / max(1, self._samples)

    @property
    def still(self) -> float:
        """Fraction of the samples, after the first, that do not differ from the previous one."""
        return self._still / max(1, self._samples - 1)

    @property
    def bars(self) -> Bars:
        """The black bars around the picture."""
        return self._bars.bars

    @property
    def frozen(self) -> float:
        """Seconds of the longest stretch without a change."""
        return self._longest_run * self._sampling / self._fps

    def images_of(self, shots: Sequence[tuple[int, int]]) -> list[np.ndarray | None]:
        """For each shot its kept frame nearest to the middle, at full size; None if it has none.

        shots: (first frame, frame after the last) of each.
        """
        return [self._image_of(first, end) for first, end in shots]

    def _image_of(self, first: int, end: int) -> np.ndarray | None:
        nearest = round((first + end - 1) / 2 / self._step)
        return self._kept[nearest] if first <= nearest * self._step < end else None


def _differ(before: np.ndarray, after: np.ndarray) -> bool:
    if before is after:
        return False
    difference = np.maximum(before, after) - np.minimum(before, after)
    return np.count_nonzero(difference >= CHANGE_LEVEL) >= CHANGE_FRACTION * difference.size


def scaled_down(frame: np.ndarray, size: int) -> np.ndarray:
    """A frame with a shorter side of `size` pixels, by area averaging; itself if not larger."""
    height, width = frame.shape[:2]
    scale = size / min(height, width)
    if scale >= 1:
        return frame
    # Imported here because reading clips does not need it. The fastest filter of Pillow takes a
    # third longer.
    import cv2

    shape = round(width * scale), round(height * scale)
    return cv2.resize(frame, shape, interpolation=cv2.INTER_AREA)
