"""Resizing and cropping: whole frames to what a network sees.

Reads and writes nothing. Must not know models, files, or videos.

A resize is a product with two sparse matrices, one for the columns and one for the rows. Only the
rows and columns that the crop shows are computed, in blocks of the matrices without their zeros.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms.functional import center_crop

COLUMNS, ROWS = 16, 32
"""Of the crop in one product on the CPU. More multiply more zeros, fewer use the processor less."""
LARGE = 64
"""Rows or columns of the crop in one product on a GPU."""
BAND = 4 * 2**20
"""Bytes of a frame that become floats at once on the CPU."""
DOUBT = 1e-4
"""Distance to the middle between two levels within which the order of additions may decide."""
LONG = 16
"""Areas of the crop that a resized frame may have, to be computed whole."""
SIZES = 64
"""Sizes of frames whose matrices are kept."""


@dataclass(frozen=True)
class FrameByFrame:
    """A transform by a function of one image; equal ones have the same description.

    description: of all that determines the crop. crop: uint8 (H, W, 3) -> uint8 (h, w, 3).
    """

    description: str
    crop: Callable[[np.ndarray], np.ndarray] = field(compare=False)

    @property
    def exactness(self) -> str:
        """How its crops compare with those of the model's documentation."""
        return "as documented"

    def __call__(self, frames: Tensor) -> Tensor:
        """Frames, uint8 (N, H, W, 3), to crops, uint8 (N, h, w, 3)."""
        crops = [torch.from_numpy(self.crop(frame)) for frame in frames.cpu().numpy()]
        return torch.stack(crops).to(frames.device)


@dataclass(frozen=True)
class Resize:
    """Resizes frames, then crops their centre.

    size: the shorter side, (side,), or (height, width). crop: (height, width); what lies outside of
        the frame is 0. interpolation: "bilinear" or "bicubic".
    antialias: whether a smaller frame averages over all pixels of the larger one.
    like_pillow: whether the arithmetic is Pillow's, which rounds to bytes after each of the two
        directions, instead of torchvision's for tensors, which rounds once.

    On the CPU each frame is computed alone, and crops have the bits of torchvision's; those of
    Pillow differ by at most one level, in one of 100 values. On a GPU both do.
    """

    size: tuple[int, ...]
    crop: tuple[int, int]
    interpolation: str
    antialias: bool
    like_pillow: bool = False

    @property
    def exactness(self) -> str:
        """How its crops compare with those of the model's documentation."""
        if self.like_pillow:
            return "within one level of Pillow's; cosine of features at least 0.9999"
        return "as documented"

    def __call__(self, frames: Tensor) -> Tensor:
        """Frames, uint8 (N, H, W, 3), to crops, uint8 (N, h, w, 3), on the same device."""
        if frames.device.type != "cpu":
            return self._computed(frames)
        crop = self._native if self._is_native(frames) else self._computed
        return crop(frames) if len(frames) == 1 else torch.cat([*map(crop, frames.split(1))])

    def _is_native(self, frames: Tensor) -> bool:
        """Whether torch's kernel for bytes is within a level of Pillow, and worth its cost.

        It takes a third of the time of the products. Its bicubic one is two levels off. It makes
        the whole frame smaller or larger, which is too much of a very long one.
        """
        if not self.like_pillow or self.interpolation != "bilinear":
            return False
        height, width = _resized(frames.shape[1], frames.shape[2], self.size)
        return height * width < LONG * self.crop[0] * self.crop[1]

    def _native(self, frames: Tensor) -> Tensor:
        target = _resized(frames.shape[1], frames.shape[2], self.size)
        whole = torch.nn.functional.interpolate(
            frames.permute(0, 3, 1, 2), target, mode="bilinear", antialias=True
        )
        return center_crop(whole, list(self.crop)).permute(0, 2, 3, 1)

    def _computed(self, frames: Tensor) -> Tensor:
        count, (height, width) = len(frames), self.crop
        matrices = _matrices(self, frames.shape[1], frames.shape[2], frames.device)
        whole, frames = frames, matrices.cut(frames)
        rows = torch.empty(count, frames.shape[1], width * 3, device=frames.device)
        band = max(1, BAND // (frames.shape[2] * 4)) if count == 1 else frames.shape[1]
        for first in range(0, frames.shape[1], band):
            pixels = frames[:, first : first + band].float().flatten(0, 1)
            own = rows.flatten(0, 1)[first : first + len(pixels)]
            for block in matrices.columns:
                part = pixels[:, 3 * block.start : 3 * block.stop]
                torch.mm(part, block.weights, out=own[:, 3 * block.first : 3 * block.last])
        if self.like_pillow:
            rows = rows.add_(0.5).floor_().clamp_(0, 255)
        values = torch.empty(count, height, width * 3, device=frames.device)
        for block in matrices.rows:
            values[:, block.first : block.last] = block.weights @ rows[:, block.start : block.stop]
        if self.like_pillow:
            values = values.add_(0.5).floor_()
        elif frames.device.type == "cpu":
            values = self._settled(whole, values)
        else:
            values = values.round_()
        return values.clamp_(0, 255).to(torch.uint8).view(count, height, width, 3)

    def _settled(self, frames: Tensor, values: Tensor) -> Tensor:
        """Values of one frame, rounded. Where they lie so near the middle between two levels that
        the order of additions decides, they are added in torch's order.

        frames: uint8 (1, H, W, 3). values: float32 (1, h, w * 3), which is overwritten.
        """
        levels = values.round()
        doubtful = np.flatnonzero((values.sub_(levels).abs_() > 0.5 - DOUBT).numpy())
        if not len(doubtful):
            return levels
        image = frames[0].numpy()
        rows, columns = _axes(self, *image.shape[:2])
        y, x, colour = np.unravel_index(doubtful, (*self.crop, 3))
        places = rows.pixels[y][:, :, None], columns.pixels[x][:, None], colour[:, None, None]
        pixels, across, down = image[places], columns.weights[x][:, None], rows.weights[y]
        if self.antialias:
            sums = _in_order(pixels, across, columns.counts[x][:, None])
            exact = _in_order(sums, down, rows.counts[y])
        else:
            weights = across * down[:, :, None]
            order = [0, 0, 1, 1], [1, 0, 0, 1]
            exact = _in_order(pixels[:, *order], weights[:, *order], np.zeros(1))
        levels.numpy().reshape(-1)[doubtful] = np.rint(exact)
        return levels


class _Block(NamedTuple):
    """A part of a matrix whose other columns are 0: its rows `first` to `last`, and its columns
    `start` to `stop`."""

    first: int
    last: int
    start: int
    stop: int
    weights: Tensor


class _Matrices(NamedTuple):
    """How frames of one size are resized.

    top, bottom, left, right: the part of a frame that the crop shows. used: which of its rows have
    a weight; None for nearly all. rows, columns: blocks of both matrices; those of the columns are
    transposed and repeated for the three colours.
    """

    top: int
    bottom: int
    left: int
    right: int
    used: Tensor | None
    rows: list[_Block]
    columns: list[_Block]

    def cut(self, frames: Tensor) -> Tensor:
        """What is needed of frames, uint8 (N, H, W, 3): uint8 (N, rows, columns * 3)."""
        frames = frames[:, self.top : self.bottom, self.left : self.right]
        if self.used is None:
            return frames.flatten(2)
        return frames.index_select(1, self.used).flatten(2)


class _Axis(NamedTuple):
    """Each pixel of the crop along one axis: the source pixels that have a weight, int (crop, K),
    their weights, float32 (crop, K), and how many are not padding, int (crop,)."""

    pixels: np.ndarray
    weights: np.ndarray
    counts: np.ndarray


@lru_cache(SIZES)
def _axes(resize: Resize, height: int, width: int) -> tuple[_Axis, _Axis]:
    axes = []
    target = _resized(height, width, resize.size)
    for source, after, crop in zip((height, width), target, resize.crop, strict=True):
        starts, weights, counts = _taps(resize, source, after, crop)
        pixels = np.minimum(starts[:, None] + np.arange(weights.shape[1]), source - 1)
        axes.append(_Axis(pixels, weights, counts))
    return axes[0], axes[1]


def _in_order(values: np.ndarray, weights: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The weighted sums over the last axis, float32, rounded as torch's compiled loops do.

    After the first of `counts` products, groups of four are rounded before each is added; of the
    others only the sum is rounded, as by a fused multiplication and addition.
    """
    products = values * weights.astype(np.float64)
    total = products[..., 0].astype(np.float32)
    grouped = (counts - 1) // 4 * 4
    most = grouped.max()
    for k in range(1, values.shape[-1]):
        added = (products[..., k] + total).astype(np.float32)
        if k <= most:
            apart = products[..., k].astype(np.float32) + total
            added = np.where(k <= grouped, apart, added)
        total = added
    return total


@lru_cache(SIZES)
def _matrices(resize: Resize, height: int, width: int, device: torch.device) -> _Matrices:
    (top, rows), (left, columns) = map(_dense, _axes(resize, height, width))
    bottom, right = top + rows.shape[1], left + columns.shape[1]
    used, numbers = None, np.flatnonzero(rows.any(0))
    if len(numbers) < 0.9 * rows.shape[1]:
        rows, used = rows[:, numbers], torch.from_numpy(numbers).to(device)
    on_cpu = device.type == "cpu"
    row_blocks = [
        block._replace(weights=block.weights.to(device))
        for block in _blocks(rows, ROWS if on_cpu else LARGE)
    ]
    column_blocks = [
        block._replace(weights=torch.kron(block.weights.T.contiguous(), torch.eye(3)).to(device))
        for block in _blocks(columns, COLUMNS if on_cpu else LARGE)
    ]
    return _Matrices(top, bottom, left, right, used, row_blocks, column_blocks)


def _dense(axis: _Axis) -> tuple[int, np.ndarray]:
    """The first source pixel that has a weight, and the matrix from it to the last one."""
    seen = axis.pixels[axis.weights != 0]
    first, last = int(seen.min()), int(seen.max())
    matrix = np.zeros((len(axis.pixels), last - first + 1), np.float32)
    numbers = np.broadcast_to(np.arange(len(matrix))[:, None], axis.pixels.shape)
    used = axis.weights != 0
    np.add.at(matrix, (numbers[used], seen - first), axis.weights[used])
    return first, matrix


def _blocks(matrix: np.ndarray, step: int) -> Iterator[_Block]:
    for first in range(0, len(matrix), step):
        part = matrix[first : first + step]
        used = np.flatnonzero(part.any(0))
        start, stop = (int(used[0]), int(used[-1]) + 1) if len(used) else (0, 1)
        weights = torch.from_numpy(part[:, start:stop].copy())
        yield _Block(first, first + len(part), start, stop, weights)


def _resized(height: int, width: int, size: tuple[int, ...]) -> tuple[int, int]:
    """The height and width after resizing, rounded down as torchvision does."""
    if len(size) == 2:
        return size[0], size[1]
    longer = int(size[0] * max(height, width) / min(height, width))
    return (size[0], longer) if height <= width else (longer, size[0])


def _taps(
    resize: Resize, source: int, target: int, crop: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each pixel of the crop along one axis: the first source pixel, the weights, their count.

    source, target: lengths before and after resizing. Returns int64 (crop,), float32 (crop, K), in
    which weights beyond the count and of pixels outside of the source are 0, and int64 (crop,). By
    the formulas of torch's UpSampleKernel.cpp (float32), or Pillow's Resample.c (float64, then 22
    bits).
    """
    before = -((crop - target) // 2) if crop > target else round((target - crop) / 2)
    numbers = np.arange(before, before + crop)
    real = np.float64 if resize.like_pillow else np.float32
    scale = real(source) / real(target)
    if resize.antialias:
        starts, weights, counts = _averaging(numbers, source, scale, resize.interpolation)
    else:
        starts, weights, counts = _between_two(numbers, source, scale)
    if resize.like_pillow:
        weights = np.floor(weights * 2**22 + 0.5) / 2**22
    weights[(numbers < 0) | (numbers >= target)] = 0
    return starts, weights.astype(np.float32), counts


def _between_two(
    numbers: np.ndarray, source: int, scale: np.floating
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights of the two source pixels on either side of a point."""
    # In float64 and rounded once, as by a fused multiplication and addition.
    points = (np.float64(scale) * (numbers + 0.5) - 0.5).astype(np.float32)
    points = np.maximum(points, np.float32(0))
    starts = np.minimum(points.astype(np.int64), source - 1)
    second = np.clip(points - starts.astype(np.float32), 0, 1)
    return starts, np.stack([1 - second, second], axis=1), np.full(len(numbers), 2)


def _averaging(
    numbers: np.ndarray, source: int, scale: np.floating, interpolation: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights of all source pixels under a filter, which is as wide as `scale` is large."""
    real = type(scale)
    half, curve = FILTERS[interpolation]
    width = max(scale, real(1))
    centres = scale * (numbers.astype(real) + real(0.5))
    support = real(half) * width
    starts = np.maximum((centres - support + real(0.5)).astype(np.int64), 0)
    stops = np.minimum((centres + support + real(0.5)).astype(np.int64), source)
    places = np.arange(max(1, int((stops - starts).max())))
    offsets = places.astype(real) + (starts.astype(real) - centres)[:, None] + real(0.5)
    weights = curve(np.abs(offsets * (real(1) / width)))
    counts = stops - starts
    weights[places >= counts[:, None]] = 0
    total = weights.cumsum(1, dtype=real)[:, -1:]
    return starts, np.divide(weights, total, out=weights, where=total != 0), counts


def _triangle(x: np.ndarray) -> np.ndarray:
    return np.maximum(1 - x, 0)


def _cubic(x: np.ndarray) -> np.ndarray:
    """Keys' cubic convolution with a = -0.5."""
    real = x.dtype.type

    def fused(value: np.ndarray | float, add: float) -> np.ndarray:
        """value * x + add, rounded once."""
        return (np.float64(value) * x + add).astype(real)

    near = fused(fused(1.5, -2.5) * x, 1)
    far = fused(fused(fused(-0.5, 2.5), -4), 2)
    return np.where(x < 1, near, np.where(x < 2, far, real(0)))


FILTERS = {"bilinear": (1.0, _triangle), "bicubic": (2.0, _cubic)}
"""Half the width of each filter, and its curve."""
