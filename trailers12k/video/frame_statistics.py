"""What is seen of a trailer while its frames go by: a picture of each shot, and what does not move.

Reads frames that are given to it, and hands them on, smaller. Must not know who decodes them, what
else they are looked at for, nor what becomes of the pictures.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

A_SECOND = 4
"""Pictures a second that are looked at, and kept for a while."""

MOST_BYTES = 160_000_000
"""Of pictures kept at once: 15 minutes of 160x90. In a longer video every other one is let go, and
again, so that twelve hours keep one in 16 seconds, and shots between two of them have none."""

BLACK, NOT_BLACK = 20, 0.01
"""A picture is black when less than this share of its values (of 3 a pixel) is so bright or more.
Letterbox bars are black anyway. Black ground with a line of writing is not."""

CHANGED, STILL = 8, 0.01
"""A picture is still when less than this share of its values differs so much or more from the last
one that was not. Of a photograph with grain at 640x360, seen at 48x27, encoded by x264 (crf 23 to
35), MPEG-4 (400 and 250 kbit/s) and VP9 (200), at most 0.006 differ while nothing moves, key frames
included (crf 40: 0.013, at those); 0.085 and more when a camera moves by ten pixels a second. A
spot of 1 % that moves goes unseen, and so does what moves in the dark (a mean of 10). In smaller
files of very few bits key frames count as changes."""


class Watched:
    """Frames as they come, shrunk; afterwards, what has been seen of them.

    frames: RGB, uint8 (H, W, 3), on a grid of `fps` a second. One that repeats is the same object,
        and is shrunk once.
    size: shorter side of what is handed on; smaller frames are not enlarged.
    shortest: frames of the shortest shot; pictures are kept so often that it has one.
    """

    def __init__(self, frames: Iterable[np.ndarray], fps: float, size: int, shortest: int):
        self._frames, self._fps, self._size = frames, fps, size
        self._every = max(1, round(fps / A_SECOND))
        self._step = min(self._every, shortest)
        self._kept: list[np.ndarray] = []
        self._reference: np.ndarray | None = None
        self._looked = self._black = self._still = self._run = self._longest = 0
        self.repeated = 0
        """Frames that are the one before once more."""

    def __iter__(self) -> Iterator[np.ndarray]:
        last = small = None
        for number, frame in enumerate(self._frames):
            if frame is last:
                self.repeated += 1
            else:
                last, small = frame, shrunk(frame, self._size)
            if number % self._every == 0:
                self._look(small)
            if number % self._step == 0:
                self._keep(frame)
            yield small

    def _look(self, picture: np.ndarray) -> None:
        self._looked += 1
        self._black += np.count_nonzero(picture >= BLACK) < NOT_BLACK * picture.size
        if self._reference is not None and not _differs(self._reference, picture):
            self._still += 1
            self._run += 1
            self._longest = max(self._longest, self._run)
        else:
            self._reference, self._run = picture, 0

    def _keep(self, frame: np.ndarray) -> None:
        self._kept.append(frame)
        if len(self._kept) * frame.nbytes > MOST_BYTES and len(self._kept) > 1:
            self._kept = self._kept[::2]
            self._step *= 2

    @property
    def black(self) -> float:
        """The share of pictures that are black, of those `A_SECOND`."""
        return self._black / max(1, self._looked)

    @property
    def still(self) -> float:
        """The share of pictures that do not differ from the one before; the first has none."""
        return self._still / max(1, self._looked - 1)

    @property
    def frozen(self) -> float:
        """Seconds of the longest stretch without any change."""
        return self._longest * self._every / self._fps

    def of(self, shots: Sequence[tuple[int, int]]) -> list[np.ndarray | None]:
        """For each shot (first frame, frame after the last) the picture of it nearest to its
        middle, as large as it came; None where none of its own was kept."""
        return [self._of(first, end) for first, end in shots]

    def _of(self, first: int, end: int) -> np.ndarray | None:
        nearest = round((first + end - 1) / 2 / self._step)
        return self._kept[nearest] if first <= nearest * self._step < end else None


def _differs(before: np.ndarray, after: np.ndarray) -> bool:
    if before is after:
        return False
    apart = np.maximum(before, after) - np.minimum(before, after)
    return np.count_nonzero(apart >= CHANGED) >= STILL * apart.size


def shrunk(frame: np.ndarray, size: int) -> np.ndarray:
    """A frame with the shorter side of `size` pixels, by the mean of what falls into each; itself
    where it is no larger."""
    height, width = frame.shape[:2]
    scale = size / min(height, width)
    if scale >= 1:
        return frame
    # Here, since whoever only reads clips (features, merges) need not have it. Of Pillow's ways the
    # fastest takes a third more.
    import cv2

    shape = round(width * scale), round(height * scale)
    return cv2.resize(frame, shape, interpolation=cv2.INTER_AREA)
