"""Measures the black bars around a picture: letterbox and pillarbox.

Reads frames that are scaled down. Must not know who decodes them, or whether bars are cut off.
"""

import numpy as np

from trailers12k.video.picture import Bars

LEVEL, FRACTION = 20, 0.02
"""A row or column belongs to a bar when less than this fraction of its pixels reaches the level."""

SHARE = 0.1
"""Fraction of the frames whose bars may be narrower than the ones that are reported: logos and
ratings often fill the frame. Black frames do not count."""

LEAST = 0.25
"""Fraction of the height or width that a picture has at least; less is text on black."""


class BarMeter:
    """Gathers the bars of frames, all of one size; then `bars` has those of the video."""

    def __init__(self) -> None:
        self._edges: list[_Edge] = []

    def add(self, frame: np.ndarray) -> None:
        """frame: RGB, uint8 (H, W, 3)."""
        # Twenty times as fast as frame.max(axis=2).
        light = np.maximum(np.maximum(frame[..., 0], frame[..., 1]), frame[..., 2])
        bright = light >= LEVEL
        height, width = light.shape
        rows = np.count_nonzero(bright, axis=1) >= FRACTION * width
        columns = np.count_nonzero(bright, axis=0) >= FRACTION * height
        if not (rows.any() and columns.any()):
            return
        if not self._edges:
            self._edges = [_Edge(height), _Edge(height), _Edge(width), _Edge(width)]
        by_row, by_column = light.mean(axis=1), light.mean(axis=0)
        top, bottom, left, right = self._edges
        top.add(rows, by_row)
        bottom.add(rows[::-1], by_row[::-1])
        left.add(columns, by_column)
        right.add(columns[::-1], by_column[::-1])

    @property
    def bars(self) -> Bars:
        """The bars of the video, to about a thousandth; none in a video of black frames."""
        if not self._edges:
            return Bars()
        top, bottom, left, right = (edge.fraction() for edge in self._edges)
        if top + bottom > 1 - LEAST:
            top = bottom = 0.0
        if left + right > 1 - LEAST:
            left = right = 0.0
        return Bars(top, bottom, left, right)


class _Edge:
    """The bars at one edge of the frames."""

    def __init__(self, size: int):
        self._size = size
        self._counts = np.zeros(size, np.int64)
        # Of the frames with a bar of n lines: the sums of the mean light of the first line of the
        # picture, and of the one after it.
        self._first, self._second = np.zeros(size), np.zeros(size)

    def add(self, is_picture: np.ndarray, light: np.ndarray) -> None:
        """The lines of a frame, from the edge inwards."""
        lines = int(is_picture.argmax())
        self._counts[lines] += 1
        self._first[lines] += light[lines]
        self._second[lines] += light[min(lines + 1, self._size - 1)]

    def fraction(self) -> float:
        """The width of the bar, as a fraction of the size."""
        lines = int(np.searchsorted(self._counts.cumsum(), SHARE * self._counts.sum()))
        if lines == 0:
            return 0.0
        # The first line of the picture is partly bar when the bar ends between two lines.
        covered = 1 - min(1.0, float(self._first[lines] / max(self._second[lines], 1e-9)))
        return round((lines + covered) / self._size, 4)
