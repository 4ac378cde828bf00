"""From decoded frames to the RGB pictures that a player shows.

Reads frames of PyAV; reads and writes no files. Must not know times, files, or decord.

A player turns and mirrors a frame as its display matrix says, in steps of 90 degrees; makes its
pixels square; converts by the frame's own colour matrix and range (BT.601 where the file names no
matrix, as FFmpeg does); shows transparent pixels over black; and shows one picture for the two
fields of an interlaced frame.
"""

import math
import struct
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from av.sidedata.sidedata import Type
from av.video.reformatter import ColorRange, Colorspace, ColorTrc, VideoReformatter

from trailers12k.video.tone_mapping import COLOURS, to_sdr

DECORD_FORMATS = ("yuv420p", "yuvj420p")
"""Pixel formats of which decord returns the same colours as PyAV. It inverts one-bit frames, and
ignores transparency."""

MATRICES = (0, 1, 2, 4, 5, 6, 7, 9)
"""Colour matrices that FFmpeg's scaler converts, by its numbers."""

YCGCO = 8
SIMILAR = {10: 9, 11: 1, 12: 1, 13: 1, 14: 9, 15: 9}
"""Other colour matrices -> the nearest one that the scaler converts: those of constant luminance,
and of HDR alone. One without an entry counts as unspecified."""

HDR = (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67)
"""The transfer characteristics PQ and HLG, for which `tone_mapping` states a curve."""

DEINTERLACER = ("bwdif", "mode=send_frame:deint=interlaced")
"""FFmpeg's filter: one picture per frame; a frame that is not interlaced passes unchanged."""

LIMITED_GREY = np.clip(np.round((np.arange(256) - 16) * (255 / 219)), 0, 255).astype(np.uint8)
"""FFmpeg's scaler takes every grey frame for full range; this expands one of limited range."""


def _newer_type(cls: type[Type], number: int) -> Type:
    """A type of side data that FFmpeg has and PyAV lacks, such as EXIF. PyAV raises a `ValueError`
    for every frame that has one."""
    member = object.__new__(cls)
    member._name_ = f"TYPE_{number}"
    member._value_ = number  # type: ignore[assignment]
    return member


Type._missing_ = classmethod(_newer_type)  # type: ignore[method-assign, assignment]


@dataclass(frozen=True)
class Orientation:
    """How a frame is turned to be shown: first rows and columns change places, then it is flipped.

    flip_rows: the first row becomes the last. flip_columns: the first column becomes the last.
    """

    transposed: bool = False
    flip_rows: bool = False
    flip_columns: bool = False

    def apply(self, image: np.ndarray) -> np.ndarray:
        """An image (H, W, 3), turned; a contiguous array."""
        if self.transposed:
            image = image.swapaxes(0, 1)
        return np.ascontiguousarray(
            image[:: -1 if self.flip_rows else 1, :: -1 if self.flip_columns else 1]
        )


@dataclass(frozen=True)
class Bars:
    """Black bars around a picture, as fractions of its height and width as shown."""

    top: float = 0.0
    bottom: float = 0.0
    left: float = 0.0
    right: float = 0.0


def orientation(frame: Any) -> Orientation:
    """The orientation of a frame by its display matrix.

    Of a matrix that turns by another angle the nearest multiple of 90 degrees counts; exactly
    between two, the frame is not turned on its side.
    """
    matrix = frame.side_data.get(Type.DISPLAYMATRIX)
    if matrix is None:
        return Orientation()
    # Row by row, 16.16: x' = a x + c y and y' = b x + d y, with y downwards.
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(matrix))
    if abs(b) + abs(c) > 1.001 * (abs(a) + abs(d)):
        return Orientation(True, flip_rows=b < 0, flip_columns=c < 0)
    return Orientation(False, flip_rows=d < 0, flip_columns=a < 0)


def is_hdr(frame: Any) -> bool:
    """Whether a frame has the transfer characteristic PQ or HLG, or metadata of Dolby Vision."""
    return frame.color_trc in HDR or Type.DOVI_METADATA in frame.side_data


class Appearance:
    """What decides how a video is shown, gathered from all its frames."""

    def __init__(self) -> None:
        self.is_ordinary = True
        """Whether decord shows every frame as this module does."""
        self.is_transposed = False
        """Whether the first frame is shown on its side."""
        self._first = True
        self._hdr = self._interlaced = False

    def add(self, frame: Any) -> None:
        """Take the next frame into account."""
        if self._first:
            self._first, self.is_transposed = False, orientation(frame).transposed
        hdr, interlaced = is_hdr(frame), frame.interlaced_frame
        self._hdr, self._interlaced = self._hdr or hdr, self._interlaced or interlaced
        if (
            frame.format.name not in DECORD_FORMATS
            or Type.DISPLAYMATRIX in frame.side_data
            or hdr
            or interlaced
            or frame.color_primaries in COLOURS
            or frame.colorspace not in MATRICES
        ):
            self.is_ordinary = False

    @property
    def flags(self) -> tuple[str, ...]:
        """The words `hdr` and `interlaced`, as far as they apply."""
        flags = {"hdr": self._hdr, "interlaced": self._interlaced}
        return tuple(word for word, applies in flags.items() if applies)


def scaled(width: int, height: int, size: int | None, bars: Bars | None = None) -> tuple[int, int]:
    """Width and height such that the shorter side between the bars has at most `size` pixels."""
    inner = bars or Bars()
    shorter = min(width * (1 - inner.left - inner.right), height * (1 - inner.top - inner.bottom))
    scale = min(1.0, size / shorter) if size else 1.0
    return round(width * scale), round(height * scale)


def without_bars(image: np.ndarray, bars: Bars | None) -> np.ndarray:
    """An image (H, W, 3) without its bars; itself if it has none. At least a pixel remains."""
    if bars is None or bars == Bars():
        return image
    height, width = image.shape[:2]
    # Rounded inwards: a row that is partly bar is left out.
    top, bottom = (math.ceil(bar * height - 0.25) for bar in (bars.top, bars.bottom))
    left, right = (math.ceil(bar * width - 0.25) for bar in (bars.left, bars.right))
    rows, columns = max(1, height - top - bottom), max(1, width - left - right)
    return np.ascontiguousarray(image[top : top + rows, left : left + columns])


class PictureConverter:
    """Converts the frames of one video to RGB, uint8 (H, W, 3), all of one size.

    width, height: of the frames in square pixels, before they are turned.
    size, bars: see `reader.read_frames`.
    """

    def __init__(self, width: int, height: int, size: int | None, bars: Bars | None = None):
        self._shown, self._size, self._bars = (width, height), size, bars
        self._scaled = width, height
        self._orientation: Orientation | None = None
        # One scaler for all frames, on one thread: `frame.reformat` starts threads for each frame.
        self._scaler = VideoReformatter()

    def convert(self, frame: Any) -> np.ndarray:
        """The picture of a frame. The orientation of the first one holds for all."""
        if self._orientation is None:
            self._orientation = orientation(frame)
            width, height = self._shown
            # The bars are those of the picture as shown.
            if self._orientation.transposed:
                height, width = scaled(height, width, self._size, self._bars)
            else:
                width, height = scaled(width, height, self._size, self._bars)
            self._scaled = width, height
        image = self._orientation.apply(self._rgb(frame))
        return without_bars(image, self._bars)

    def _rgb(self, frame: Any) -> np.ndarray:
        name = frame.format.name
        if frame.colorspace == YCGCO and not frame.format.is_rgb:
            frame.colorspace = Colorspace.DEFAULT
            return _from_ycgco(self._reformat(frame, "yuv444p"), frame.color_range)
        if frame.color_trc in HDR or frame.color_primaries in COLOURS:
            wide = self._reformat(frame, "rgb48le")
            return to_sdr(wide, frame.color_trc, frame.color_primaries)
        if name == "pal8" or any(part.is_alpha for part in frame.format.components):
            image = _over_black(self._reformat(frame, "rgba"), name)
        else:
            image = self._reformat(frame, "rgb24")
        is_grey = name.startswith(("gray", "ya"))
        if is_grey and frame.color_range == ColorRange.MPEG:
            return LIMITED_GREY[image]
        return image

    def _reformat(self, frame: Any, pixels: str) -> np.ndarray:
        if frame.color_range > ColorRange.JPEG:
            frame.color_range = ColorRange.UNSPECIFIED
        if frame.colorspace not in MATRICES:
            frame.colorspace = SIMILAR.get(frame.colorspace, Colorspace.DEFAULT)
        # FFmpeg's bilinear scaler averages over all source pixels when it shrinks.
        return self._scaler.reformat(
            frame, *self._scaled, pixels, interpolation="BILINEAR", threads=1
        ).to_ndarray()


def _from_ycgco(planes: np.ndarray, span: int) -> np.ndarray:
    """RGB from Y, Cg and Co, uint8 (3, H, W); the scaler does not know this matrix."""
    luma, green, orange = planes.astype(np.float32) - np.reshape([0, 128, 128], (3, 1, 1))
    if span != ColorRange.JPEG:
        luma, green, orange = (luma - 16) * 255 / 219, green * 255 / 224, orange * 255 / 224
    rgb = np.stack([luma - green + orange, luma + green, luma - green - orange], axis=-1)
    return np.clip(np.round(rgb), 0, 255).astype(np.uint8)


def _over_black(rgba: np.ndarray, name: str) -> np.ndarray:
    colours, alpha = rgba[..., :3], rgba[..., 3:].astype(np.uint16)
    # Uncompressed files of 32-bit RGB leave the fourth byte at zero.
    if name == "bgra" and not alpha.any():
        return colours
    return ((colours * alpha + 127) // 255).astype(np.uint8)


def deinterlaced(stamped: Iterable[tuple[float, Any]]) -> Iterator[tuple[float, Any]]:
    """The same times and frames; interlaced frames are deinterlaced.

    The filter starts at the first interlaced frame, so that other videos pay nothing.
    """
    graph, shape, times = None, None, deque[float]()
    for time, frame in stamped:
        own = frame.width, frame.height, frame.format.name
        if graph is not None and own != shape:
            yield from _paired(times, graph, None)
            graph = None
        if graph is None:
            if not frame.interlaced_frame:
                yield time, frame
                continue
            graph, shape = _filter_graph(frame), own
        times.append(time)
        yield from _paired(times, graph, frame)
    if graph is not None:
        yield from _paired(times, graph, None)


def _filter_graph(frame: Any) -> Any:
    graph = av.filter.Graph()
    graph.threads = 1
    source = graph.add_buffer(
        width=frame.width,
        height=frame.height,
        format=frame.format,
        time_base=frame.time_base,
    )
    graph.link_nodes(source, graph.add(*DEINTERLACER), graph.add("buffersink")).configure()
    return graph


def _paired(times: deque[float], graph: Any, frame: Any) -> Iterator[tuple[float, Any]]:
    """Give the filter a frame, or None at the end; what it returns, with the times in turn."""
    graph.vpush(frame)
    while True:
        try:
            done = graph.vpull()
        except (av.BlockingIOError, av.EOFError):
            return
        yield times.popleft(), done
