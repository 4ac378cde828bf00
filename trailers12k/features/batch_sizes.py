"""How many clips or images a GPU takes at a time: measured once per model and device, then kept.

Reads and writes build/devices.json. Must not know videos, stores, or Snakemake.
"""

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from trailers12k.common.errors import UserError
from trailers12k.common.files import DAMAGED, read_json, write_json
from trailers12k.features.backbones.common import Backbone
from trailers12k.features.backbones.sound import SoundBackbone
from trailers12k.features.backbones.sound_spec import SoundSpec
from trailers12k.features.backbones.spec import BackboneSpec

log = logging.getLogger(__name__)

FILE = Path("build/devices.json")
"""Name of a device -> description of a network -> `batch`, and `rates`: batch -> clips or images a
second."""

GAIN = 1.05
"""By this factor a doubled batch must be faster, or the one after it."""
MOST = 1024
PASSES = 3


def set_batch(backbone: Backbone, spec: BackboneSpec, length: int, file: Path = FILE) -> None:
    """Give a network on a GPU the batch that is fastest there, if its specification says "auto".

    length: frames of a clip. The CPU keeps `spec.initial_batch`, so nothing is measured there.
    """
    if spec.batch == "auto" and backbone.device.transfer is not None:
        backbone.batch, _ = known_or_measured(backbone, spec, length, file)


def known_or_measured(
    backbone: Backbone, spec: BackboneSpec, length: int, file: Path = FILE
) -> tuple[int, dict[int, float]]:
    """The recorded batch of a network on its device, and batch -> clips or images a second; else
    new ones, which are recorded.

    Jobs that measure different networks at the same moment may lose a record, which is measured
    again.
    """
    shape = [f"{spec.size} px"] if spec.size else []
    shape += [f"{length} frames"] if backbone.video else []
    return _known_or_measured(
        backbone, spec.model, shape, lambda count: _seconds(backbone, count, length), file
    )


def set_sound_batch(
    backbone: SoundBackbone, spec: SoundSpec, seconds: float, file: Path = FILE
) -> None:
    """As `set_batch`, of a model of sound. seconds: of a clip."""
    if spec.batch != "auto" or backbone.device.transfer is None:
        return
    heard = round((seconds + 2 * backbone.context) * backbone.rate)
    backbone.batch, _ = _known_or_measured(
        backbone,
        spec.model,
        [f"{heard} samples"],
        lambda count: _sound_seconds(backbone, count, heard),
        file,
    )


def _known_or_measured(
    backbone: Backbone | SoundBackbone,
    model: str,
    shape: Sequence[str],
    seconds_of: Callable[[int], float | None],
    file: Path,
) -> tuple[int, dict[int, float]]:
    """See `known_or_measured`. shape: of its input, in words."""
    device, precision = backbone.device.name, str(backbone.attributes["precision"])
    network = " ".join([model, *shape, precision, f"torch {torch.__version__}"])
    known = _read(file)
    if recorded := _entry(known, device, network):
        return recorded
    batch, rates = fastest(seconds_of)
    if not rates:
        return batch, rates  # Not even one fits; the first batch says so.
    log.info("%s on %s: batches of %d, %.0f a second", model, device, batch, rates[batch])
    known = _read(file)
    entry = {"batch": batch, "rates": {str(size): float(f"{r:.4g}") for size, r in rates.items()}}
    if not isinstance(known.get(device), dict):
        known[device] = {}
    known[device][network] = entry
    write_json(file, known)
    return batch, rates


def fastest(seconds_of: Callable[[int], float | None]) -> tuple[int, dict[int, float]]:
    """The batch beyond which doubling gains nothing, and batch -> throughput per second.

    seconds_of: the time of one pass over a batch; None when it does not fit into the memory.
    """
    rates: dict[int, float] = {}
    best, size = 1, 1
    while size <= MOST:
        seconds = seconds_of(size)
        if seconds is None:
            break
        rates[size] = size / seconds
        if size == 1 or rates[size] > GAIN * rates[best]:
            best = size
        elif size >= 4 * best:
            break
        size *= 2
    return best, rates


def _seconds(backbone: Backbone, count: int, length: int) -> float | None:
    """Of one forward pass, after one that is not counted: the least of several."""
    # Noise, since no time depends on the pixels; of the size of the crops of any frame.
    shape = backbone.transform(torch.zeros(1, 256, 256, 3, dtype=torch.uint8)).shape[1:]
    clips = (count, length) if backbone.video else (count,)
    pixels = torch.randint(256, (*clips, *shape), dtype=torch.uint8)
    try:
        pixels = backbone.device.put(pixels)
    except torch.OutOfMemoryError:
        return None
    return _least(backbone, lambda: backbone.forward(pixels))


def _sound_seconds(backbone: SoundBackbone, count: int, samples: int) -> float | None:
    """As `_seconds`, of the sound of clips."""
    noise = np.random.default_rng(0).standard_normal(samples).astype(np.float32) / 10
    return _least(backbone, lambda: backbone.forward([noise] * count))


def _least(
    backbone: Backbone | SoundBackbone, forward: Callable[[], torch.Tensor | None]
) -> float | None:
    """Seconds of one forward pass; None when it does not fit into the memory."""
    times = []
    for _ in range(1 + PASSES):
        _wait(backbone)
        began = time.perf_counter()
        if forward() is None:
            backbone.device.free()
            return None
        _wait(backbone)
        times.append(time.perf_counter() - began)
    return min(times[1:])


def _wait(backbone: Backbone | SoundBackbone) -> None:
    if backbone.device.torch.type == "cuda":
        torch.cuda.synchronize(backbone.device.torch)


def _entry(known: dict[str, Any], device: str, network: str) -> tuple[int, dict[int, float]] | None:
    """What is recorded of a network on a device; None where that is missing or damaged."""
    try:
        entry = known[device][network]
        batch, rates = entry["batch"], {int(size): rate for size, rate in entry["rates"].items()}
        is_sound = type(batch) is int and 1 <= batch <= MOST and min(rates.values()) > 0
    except DAMAGED:
        return None
    return (batch, rates) if is_sound else None


def _read(file: Path) -> dict[str, Any]:
    """The records; none where the file is missing or damaged."""
    try:
        return read_json(file)
    except (OSError, UserError):
        return {}
