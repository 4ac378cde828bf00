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

CHUNK = 0
"""Bytes of whole frames that are resized at once, but at least one frame. On the CPU several at
once are no faster, and would have to be copied together."""


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
        self._waiting: list[list[Tensor]] = []
        self._features: list[np.ndarray] = []

    def add(self, crops: list[Tensor]) -> None:
        """Take the crops of the next clip, see `read_clips`; compute when the batch is full."""
        self._waiting.append(crops)
        if len(self._waiting) == self.clips:
            self._compute()

    def finish(self) -> np.ndarray:
        """Compute what is left; the features of all clips."""
        if self._waiting:
            self._compute()
        return np.concatenate(self._features)

    def _compute(self) -> None:
        crops = torch.stack([crop for clip in self._waiting for crop in clip])
        shape = len(self._waiting), len(self._waiting[0])
        self._features.append(self._backbone.compute(crops.unflatten(0, shape)))
        self._waiting = []


def read_clips(
    networks: Mapping[str, tuple[Backbone, Sampling]],
    path: str | Path,
    decoder: str,
    clips: Sequence[Clip],
    bars: Bars | None = None,
) -> Iterator[dict[str, list[Tensor]]]:
    """Yield, for each clip of a trailer, store -> the crops of its frames, uint8 (h, w, 3).

    As many as the network gets of a clip. Frames are read once, at the video's own size; networks
    with equal transforms share the crops. Raises `Failure`.
    """
    sampling = next(iter(networks.values()))[1]
    fps, fpc = sampling.fps, sampling.fpc
    chosen = {store: spread(own.image_frames or fpc, fpc) for store, (_, own) in networks.items()}
    needed = np.unique(np.concatenate([*chosen.values()]))
    places = {store: np.searchsorted(needed, own).tolist() for store, own in chosen.items()}
    wanted: dict[Transform, set[int]] = {}
    for store, (backbone, _) in networks.items():
        wanted.setdefault(backbone.transform, set()).update(places[store])
    times = np.concatenate([frame_times(clip, fps, fpc)[needed] for clip in clips])
    frames = reader.read_frames(path, decoder, times, None, bars)
    for _ in clips:
        crops = _crop_clip(islice(frames, len(needed)), wanted)
        yield {
            store: [crops[backbone.transform][place] for place in places[store]]
            for store, (backbone, _) in networks.items()
        }


def _crop_clip(
    frames: Iterator[np.ndarray], wanted: Mapping[Transform, set[int]]
) -> dict[Transform, dict[int, Tensor]]:
    """Transform -> number of a frame -> its crop, of the frames that the transform gets.

    wanted: transform -> numbers of these frames.
    """
    crops: dict[Transform, dict[int, Tensor]] = {transform: {} for transform in wanted}
    first = 0
    for whole, rows in _chunks(frames):
        for transform, numbers in wanted.items():
            row_of = {n: rows[n - first] for n in range(first, first + len(rows)) if n in numbers}
            if row_of:
                distinct = sorted(set(row_of.values()))
                own = transform(whole if len(distinct) == len(whole) else whole[distinct])
                crop_of = dict(zip(distinct, own.unbind(), strict=True))
                crops[transform].update((n, crop_of[row]) for n, row in row_of.items())
        first += len(rows)
    return crops


def _chunks(frames: Iterator[np.ndarray]) -> Iterator[tuple[Tensor, list[int]]]:
    """Chunks of frames of few bytes: the distinct ones, uint8 (N, H, W, 3), and the row of each.

    A frame that repeats, as at the end of a short clip, is the same object.
    """
    distinct: list[np.ndarray] = []
    rows: list[int] = []
    for frame in frames:
        if not distinct or frame is not distinct[-1]:
            if distinct and (len(distinct) + 1) * frame.nbytes > CHUNK:
                yield _together(distinct), rows
                distinct, rows = [], []
            distinct.append(frame)
        rows.append(len(distinct) - 1)
    if distinct:
        yield _together(distinct), rows


def _together(frames: list[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(frames) if len(frames) > 1 else frames[0][None])


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
