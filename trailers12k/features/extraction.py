"""From the clips of a trailer, or a poster, to its features.

Reads videos and images; writes nothing. Must not know stores, jobs, nor where videos come from.
"""

import ctypes
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from trailers12k.common.errors import Failure
from trailers12k.features.backbones.common import Backbone, Transform
from trailers12k.features.recipe import Sampling
from trailers12k.video import reader
from trailers12k.video.clips import Clip, frame_times
from trailers12k.video.image_file import read_image
from trailers12k.video.picture import Bars

Item = TypeVar("Item")

CHUNK = 64 * 2**20
"""Bytes of whole frames that are resized at once; a larger frame alone."""


def extract_trailer(
    networks: Mapping[str, tuple[Backbone, Sampling]],
    path: str | Path,
    decoder: str,
    clips: Sequence[Clip],
    ahead: bool = False,
    bars: Bars | None = None,
) -> dict[str, np.ndarray]:
    """The features of a trailer's clips by several networks, from one straight decode.

    networks: store -> its network, and which frames of a clip it gets. All share `fps`, `fpc` and
        `crop_bars`.
    decoder, bars: see `video.reader.read_frames`.
    ahead: whether a thread decodes the next clips while the networks compute.
    Returns store -> float32 (clips, num_features).

    Frames are read at the video's own size. No result depends on which networks share the pass, a
    forward pass never mixes trailers, and few whole frames are in memory. Raises `Failure`.
    """
    batches = {
        store: _Batches(net, net.clips_at_a_time(sampling.image_frames or sampling.fpc))
        for store, (net, sampling) in networks.items()
    }
    read = read_clips(networks, path, decoder, clips, bars)
    if ahead:
        read = _ahead(read, 1 + max(own.clips for own in batches.values()))
    for crops in read:
        for store, own in crops.items():
            batches[store].add(own)
    return {store: own.finish() for store, own in batches.items()}


class _Batches:
    """The clips of one network, computed in batches. clips: how many fill one."""

    def __init__(self, backbone: Backbone, clips: int):
        self.clips = clips
        self._backbone = backbone
        self._waiting: list[Tensor] = []
        self._features: list[np.ndarray] = []

    def add(self, crops: Tensor) -> None:
        """Take the crops of the next clip, uint8 (T, h, w, 3); compute when the batch is full."""
        self._waiting.append(crops)
        if len(self._waiting) == self.clips:
            self._compute()

    def finish(self) -> np.ndarray:
        """Compute what is left; the features of all clips."""
        if self._waiting:
            self._compute()
        return np.concatenate(self._features)

    def _compute(self) -> None:
        self._features.append(self._backbone.compute(torch.stack(self._waiting)))
        self._waiting = []


def read_clips(
    networks: Mapping[str, tuple[Backbone, Sampling]],
    path: str | Path,
    decoder: str,
    clips: Sequence[Clip],
    bars: Bars | None = None,
) -> Iterator[dict[str, Tensor]]:
    """Yield, for each clip of a trailer, store -> its cropped frames, uint8 (T, h, w, 3).

    T: frames of a clip that the network gets. Frames are read once; networks with equal transforms
    share the crops. Raises `Failure`.
    """
    sampling = next(iter(networks.values()))[1]
    fps, fpc = sampling.fps, sampling.fpc
    chosen = {store: spread(own.image_frames or fpc, fpc) for store, (_, own) in networks.items()}
    needed = np.unique(np.concatenate([*chosen.values()]))
    wanted: dict[Transform, np.ndarray] = {}
    for store, (backbone, _) in networks.items():
        mask = wanted.setdefault(backbone.transform, np.zeros(len(needed), bool))
        mask |= np.isin(needed, chosen[store])
    times = np.concatenate([frame_times(clip, fps, fpc)[needed] for clip in clips])
    frames = reader.read_frames(path, decoder, times, None, bars)
    for _ in clips:
        crops = _crop_clip(islice(frames, len(needed)), wanted)
        yield {
            store: crops[backbone.transform][
                np.searchsorted(needed[wanted[backbone.transform]], chosen[store])
            ]
            for store, (backbone, _) in networks.items()
        }


def _crop_clip(
    frames: Iterator[np.ndarray], wanted: Mapping[Transform, np.ndarray]
) -> dict[Transform, Tensor]:
    """Transform -> its crops of a clip's frames.

    wanted: transform -> which frames it gets, bool (frames,).
    """
    parts: dict[Transform, list[Tensor]] = {transform: [] for transform in wanted}
    first = 0
    for whole, numbers in _chunks(frames):
        for transform, mask in wanted.items():
            own = numbers[mask[first : first + len(numbers)]]
            distinct, places = np.unique(own, return_inverse=True)
            if len(distinct):
                crops = transform(whole if len(distinct) == len(whole) else whole[distinct])
                parts[transform].append(crops[places])
        first += len(numbers)
    return {transform: torch.cat(own) for transform, own in parts.items()}


def _chunks(frames: Iterator[np.ndarray]) -> Iterator[tuple[Tensor, np.ndarray]]:
    """The frames in chunks of few bytes: the distinct ones, uint8 (N, H, W, 3), and which of them
    each frame is. A frame that repeats, as at the end of a short clip, is the same object."""
    distinct: list[np.ndarray] = []
    numbers: list[int] = []
    for frame in frames:
        if not distinct or frame is not distinct[-1]:
            if (len(distinct) + 1) * frame.nbytes > CHUNK and distinct:
                yield torch.from_numpy(np.stack(distinct)), np.array(numbers)
                distinct, numbers = [], []
            distinct.append(frame)
        numbers.append(len(distinct) - 1)
    if distinct:
        yield torch.from_numpy(np.stack(distinct)), np.array(numbers)


def spread(count: int, fpc: int) -> np.ndarray:
    """The numbers of `count` evenly spaced frames of `fpc`, int (count,); the middle one for 1."""
    return ((np.arange(count) + 0.5) * fpc / count).astype(int)


def _ahead(items: Iterator[Item], count: int) -> Iterator[Item]:
    """The same items; a thread prepares the next `count` while one is in use."""
    with ThreadPoolExecutor(1) as pool:
        coming = deque(pool.submit(next, items, None) for _ in range(count))
        while (item := coming.popleft().result()) is not None:
            coming.append(pool.submit(next, items, None))
            yield item


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
