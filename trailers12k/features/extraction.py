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
from trailers12k.features.backbones.devices import Device
from trailers12k.features.backbones.transfer import Send
from trailers12k.features.recipe import Sampling
from trailers12k.video import reader
from trailers12k.video.clips import Clip, frame_times
from trailers12k.video.image_file import read_image
from trailers12k.video.picture import Bars

Item = TypeVar("Item")

CHUNK = 64 * 2**20
"""Bytes of whole frames that go to a GPU at once; a larger frame alone. On the CPU each frame is
resized alone: several at once are no faster, and would have to be copied together."""


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
    forward pass mixes trailers only after `Backbone.fill_across`, and few whole frames are in
    memory. Raises `Failure`.
    """
    device = _device_of(networks)
    lengths = {store: own.image_frames or own.fpc for store, (_, own) in networks.items()}
    batches = {store: net.batches(lengths[store]) for store, (net, _) in networks.items()}
    read = read_clips(networks, path, decoder, clips, bars)
    # A GPU computes by itself while this thread decodes.
    if ahead and not device.transfer:
        most = max(net.clips_at_a_time(lengths[store]) for store, (net, _) in networks.items())
        read = _ahead(read, 1 + most)
    parts = {store: own.begin() for store, own in batches.items()}
    try:
        for crops in read:
            device.meter.add(cropped=sum(map(len, crops.values())))
            for store, own in crops.items():
                batches[store].add(parts[store], own)
        features = [filled.finish(parts[store]) for store, filled in batches.items()]
    finally:
        for store, filled in batches.items():
            filled.abandon(parts[store])
    return dict(zip(networks, device.fetched(features), strict=True))


def _device_of(networks: Mapping[str, tuple[Backbone, Sampling]]) -> Device:
    """The device of all networks."""
    return next(iter(networks.values()))[0].device


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
    places = {
        store: np.searchsorted(needed[wanted[backbone.transform]], chosen[store])
        for store, (backbone, _) in networks.items()
    }
    device = _device_of(networks)
    with device.sending() as send:
        for _ in clips:
            crops = _crop_clip(islice(frames, len(needed)), wanted, send, device)
            device.meter.add(decoded=len(needed))
            yield {
                store: _rows(crops[backbone.transform], places[store], device)
                for store, (backbone, _) in networks.items()
            }


def _crop_clip(
    frames: Iterator[np.ndarray],
    wanted: Mapping[Transform, np.ndarray],
    send: Send,
    device: Device,
) -> dict[Transform, Tensor]:
    """Transform -> its crops of a clip's frames, on the device.

    wanted: transform -> which frames it gets, bool (frames,). send: see `Device.sending`.
    """
    parts: dict[Transform, list[Tensor]] = {transform: [] for transform in wanted}
    first = 0
    for chunk, numbers in _chunks(frames, CHUNK if device.transfer else 0):
        whole = send(chunk)
        for transform, mask in wanted.items():
            own = numbers[mask[first : first + len(numbers)]]
            distinct, places = np.unique(own, return_inverse=True)
            if len(distinct):
                with device.computing():
                    crops = transform(_rows(whole, distinct, device))
                if crops.untyped_storage().data_ptr() == whole.untyped_storage().data_ptr():
                    # Frames of the crop's size; `send` uses their memory again.
                    crops = crops.clone()
                parts[transform].append(_rows(crops, places, device))
        first += len(numbers)
    return {transform: torch.cat(own) for transform, own in parts.items()}


def _rows(values: Tensor, numbers: np.ndarray, device: Device) -> Tensor:
    """The rows of a tensor on the device by their numbers; itself where these are all in order."""
    if len(numbers) == len(values) and (numbers == np.arange(len(numbers))).all():
        return values
    return values[device.put(torch.from_numpy(numbers))]


def _chunks(
    frames: Iterator[np.ndarray], limit: int
) -> Iterator[tuple[list[np.ndarray], np.ndarray]]:
    """Chunks of frames: the distinct ones, each uint8 (H, W, 3), and which of them each frame is.

    limit: bytes of a chunk of several. A frame that repeats, as at the end of a short clip, is the
        same object.
    """
    distinct: list[np.ndarray] = []
    numbers: list[int] = []
    for frame in frames:
        if not distinct or frame is not distinct[-1]:
            if (len(distinct) + 1) * frame.nbytes > limit and distinct:
                yield distinct, np.array(numbers)
                distinct, numbers = [], []
            distinct.append(frame)
        numbers.append(len(distinct) - 1)
    if distinct:
        yield distinct, np.array(numbers)


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
