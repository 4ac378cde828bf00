"""From the clips of a trailer, or a poster, to its features.

Reads videos and images; writes nothing. Must not know stores, jobs, nor where videos come from.
"""

import ctypes
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np

from trailers12k.common.errors import Failure
from trailers12k.features.backbones.common import Backbone
from trailers12k.features.recipe import Sampling
from trailers12k.video import reader
from trailers12k.video.clips import Clip, frame_times
from trailers12k.video.image_file import read_image
from trailers12k.video.picture import Bars


def extract_trailer(
    backbone: Backbone,
    path: str | Path,
    decoder: str,
    clips: Sequence[Clip],
    sampling: Sampling,
    ahead: bool = False,
    bars: Bars | None = None,
) -> np.ndarray:
    """The features of a trailer's clips, float32 (clips, num_features), from one straight decode.

    decoder, bars: see `video.reader.read_frames`.
    ahead: whether a thread decodes the next clips while the backbone computes.

    A forward pass never mixes trailers, and no more frames are in memory than it takes, at the size
    after resizing and cropping. Raises `Failure`.
    """
    batches = read_batches(backbone, path, decoder, clips, sampling, bars)
    if ahead:
        batches = _ahead(batches)
    return np.concatenate([backbone.compute(part) for part in batches])


def read_batches(
    backbone: Backbone,
    path: str | Path,
    decoder: str,
    clips: Sequence[Clip],
    sampling: Sampling,
    bars: Bars | None = None,
) -> Iterator[np.ndarray]:
    """The cropped frames of a trailer's clips, uint8 (B, T, h, w, 3), in batches of clips.

    T: frames of a clip that the backbone gets. Raises `Failure`.
    """
    fps, fpc = sampling.fps, sampling.fpc
    chosen = spread(sampling.image_frames or fpc, fpc)
    times = np.concatenate([frame_times(clip, fps, fpc)[chosen] for clip in clips])
    frames = reader.read_frames(path, decoder, times, backbone.side, bars)
    frames = _cropped(backbone, frames)
    return _batches(frames, len(clips), len(chosen), backbone.clips_at_a_time(len(chosen)))


def _cropped(backbone: Backbone, frames: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """The frames, cropped; a frame that is repeated, as at the end of a short clip, only once."""
    last, crop = None, None
    for frame in frames:
        if crop is None or frame is not last:
            last, crop = frame, backbone.crop(frame)
        yield crop


def spread(count: int, fpc: int) -> np.ndarray:
    """The numbers of `count` evenly spaced frames of `fpc`, int (count,); the middle one for 1."""
    return ((np.arange(count) + 0.5) * fpc / count).astype(int)


def _batches(
    frames: Iterator[np.ndarray], clips: int, length: int, batch: int
) -> Iterator[np.ndarray]:
    """uint8 (B, length, H, W, 3); B is `batch` clips, or what is left at the end."""
    for first in range(0, clips, batch):
        count = min(batch, clips - first)
        part = np.stack([next(frames) for _ in range(count * length)])
        yield part.reshape(count, length, *part.shape[1:])


def _ahead(batches: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """The same batches; a thread prepares the next one while this one is in use."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = pool.submit(next, batches, None)
            yield batch


def extract_poster(backbone: Backbone, path: str | Path) -> np.ndarray:
    """The features of one image, float32 (1, num_features). Raises `Failure`."""
    try:
        pixels = np.array(read_image(Path(path).read_bytes()))
    except Failure as failure:
        raise Failure("decode_failed", failure.detail) from failure
    except OSError as error:
        raise Failure("decode_failed", error.strerror or "unreadable") from error
    return backbone(pixels[None, None])


@cache
def keep_memory() -> None:
    """Make glibc, where it is the C library, keep freed memory.

    A forward pass allocates and frees the same large blocks again and again. By default the kernel
    takes each back and returns it page by page: swin3d_t then takes 4.6 CPU s a clip instead of
    3.1 (fp32), 6.1 instead of 3.5 (bf16).
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # musl, macOS, Windows
        return
    m_trim_threshold, m_mmap_threshold = -1, -3
    mallopt(m_mmap_threshold, 1 << 30)
    mallopt(m_trim_threshold, 2**31 - 1)
