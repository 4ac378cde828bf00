"""Counts frames on their way through decoding and a device, and how long the device computes.

Reads and writes nothing. Must not know networks or videos.
"""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import torch


class Meter:
    """What a job's threads report of the frames that pass through them; any thread may call it.

    decoded: frames of videos. cropped: crops of them, of all networks. computed: crops that a
        network has taken; on a GPU, that were launched. held_up: seconds in which a thread that
        decodes waited for the device.
    """

    def __init__(self) -> None:
        self.decoded = 0
        self.cropped = 0
        self.computed = 0
        self.held_up = 0.0
        self._busy = 0.0
        self._passes: deque[tuple[Any, Any]] = deque()
        self._lock = Lock()

    def add(self, decoded: int = 0, cropped: int = 0, computed: int = 0) -> None:
        """Count frames."""
        with self._lock:
            self.decoded += decoded
            self.cropped += cropped
            self.computed += computed

    @contextmanager
    def holding_up(self) -> Iterator[None]:
        """Count the time of the context as `held_up`."""
        began = time.perf_counter()
        try:
            yield
        finally:
            with self._lock:
                self.held_up += time.perf_counter() - began

    @contextmanager
    def computing(self, device: torch.device) -> Iterator[None]:
        """Count the time in which the device does what the context starts.

        On a GPU events mark the beginning and the end, which nobody waits for. Between them the GPU
        may wait for the thread that launches, as where other threads hold Python's lock.
        """
        if device.type != "cuda":
            began = time.perf_counter()
            try:
                yield
            finally:
                with self._lock:
                    self._busy += time.perf_counter() - began
            return
        stream = torch.cuda.current_stream(device)
        first, last = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        first.record(stream)
        try:
            yield
        finally:
            last.record(stream)
            with self._lock:
                self._passes.append((first, last))

    @property
    def busy(self) -> float:
        """Seconds in which work of passes that have ended was under way, from its first launch on;
        on CPUs of all cores together."""
        with self._lock:
            while self._passes and self._passes[0][1].query():
                first, last = self._passes.popleft()
                self._busy += first.elapsed_time(last) / 1000
            return self._busy
