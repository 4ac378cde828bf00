"""Logs how fast a job decodes and computes frames, and which of the two waits for the other.

Reads a device's meter. Must not know networks or videos.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from trailers12k.features.backbones.devices import Device

log = logging.getLogger(__name__)

INTERVAL = 30.0
"""Seconds between two lines."""
FULL = 0.9
"""From this share of the time on, decoding waits for passes. Those of a GPU begin with their first
launch, so it may itself wait for the threads that launch."""


class Reading(NamedTuple):
    """What a meter shows at a time, in seconds; see `Meter`."""

    time: float
    decoded: int
    cropped: int
    computed: int
    busy: float

    @classmethod
    def of(cls, device: Device) -> "Reading":
        """The present one."""
        meter = device.meter
        return cls(time.perf_counter(), meter.decoded, meter.cropped, meter.computed, meter.busy)


def describe(before: Reading, now: Reading, device: Device, threads: int) -> str:
    """What happened between two readings, in one line; empty when nothing did.

    threads: of the job. A GPU computes while they decode; on the CPU one thread does both in turn,
    and more overlap.
    """
    seconds, frames, cropped, taken, busy = (b - a for a, b in zip(before, now, strict=True))
    if not frames and not taken:
        return ""
    decoded = frames / seconds
    # A frame is computed when all networks that see it have taken it.
    computed = decoded * taken / cropped if cropped else 0
    is_gpu = device.torch.type == "cuda"
    line = f"decoded {decoded:.0f} and computed {computed:.0f} frames a second"
    if not is_gpu and threads == 1:
        return line
    name = "the GPU" if is_gpu else "computing"
    share = min(1, busy / seconds / (1 if is_gpu else threads))
    if share >= FULL:
        side = "the GPU always has a pass" if is_gpu else "decoding waits for the networks"
        return f"{line}; {side}"
    return f"{line}; {name} waits for decoding {100 * (1 - share):.0f} % of the time"


@contextmanager
def logged(device: Device, threads: int, interval: float = INTERVAL) -> Iterator[None]:
    """Log a line every so many seconds while the context lasts."""
    done = threading.Event()

    def run() -> None:
        before = Reading.of(device)
        while not done.wait(interval):
            now = Reading.of(device)
            if line := describe(before, now, device, threads):
                log.info("%s", line)
            before = now

    reporter = threading.Thread(target=run, daemon=True)
    reporter.start()
    try:
        yield
    finally:
        done.set()
        reporter.join()
