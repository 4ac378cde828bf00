"""Takes frames to a GPU while it computes, and features back.

Reads and writes nothing. Must not know networks or videos.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any

import numpy as np
import torch
from torch import Tensor

from trailers12k.features.backbones.meter import Meter

Send = Callable[[Sequence[np.ndarray]], Tensor]

SLOTS = 3
"""Chunks of a trailer on their way: one is filled, one is copied, one is in use."""


class _Slot:
    """A buffer in the host's memory and one in the device's, of one chunk.

    used: an event after which the device no longer needs either.
    """

    def __init__(self, transfer: "Transfer"):
        self._transfer = transfer
        self._host = self._there = torch.empty(0, dtype=torch.uint8)
        self._copied, self.used = transfer.event(), transfer.event()

    def send(self, frames: Sequence[np.ndarray]) -> Tensor:
        """Equal frames, uint8 (H, W, 3), as a tensor (N, H, W, 3) on the device.

        What the caller's stream does next waits for the copy; the caller does not.
        """
        transfer = self._transfer
        # The host waits only while the device is behind by all slots.
        with transfer.meter.holding_up():
            self.used.synchronize()
        size = len(frames) * frames[0].nbytes
        if self._host.numel() < size:
            self._grow(size)
        shape = (len(frames), *frames[0].shape)
        host, there = self._host[:size].view(shape), self._there[:size].view(shape)
        np.stack(frames, out=host.numpy())
        with transfer.api.stream(transfer.copies):
            there.copy_(host, non_blocking=True)
            self._copied.record(transfer.copies)
        transfer.stream.wait_event(self._copied)
        return there

    def _grow(self, size: int) -> None:
        transfer = self._transfer
        self._host = torch.empty(size, dtype=torch.uint8, pin_memory=transfer.pinned)
        self._there = torch.empty(size, dtype=torch.uint8, device=transfer.device)
        # torch may hand out memory that work in the caller's stream still reads. It gives the
        # memory back to that stream, which then has waited for the last copy into it.
        transfer.copies.wait_stream(transfer.stream)


class Transfer:
    """Copies between the host and one device, in a stream of their own.

    device: on the CPU, for tests, torch's streams and events do nothing. pinned: whether the host's
    buffers are page-locked, without which a copy stops the host.
    """

    def __init__(self, device: torch.device, meter: Meter, pinned: bool = True):
        self.device, self.meter, self.pinned = device, meter, pinned
        self.api: Any = torch.cuda if device.type == "cuda" else torch.cpu
        self.copies = self.api.Stream(device)
        self._free: list[_Slot] = []
        self._lock = Lock()

    @property
    def stream(self) -> Any:
        """The stream in which this thread has the device compute; the same for all threads."""
        return self.api.current_stream(self.device)

    def event(self) -> Any:
        """An event for which a thread can wait without using its core."""
        return self.api.Event(blocking=True) if self.device.type == "cuda" else self.api.Event()

    @contextmanager
    def sending(self) -> Iterator[Send]:
        """A function that takes equal frames to the device: see `Device.sending`."""
        slots = self._take()

        def send(frames: Sequence[np.ndarray]) -> Tensor:
            slots[0].used.record(self.stream)
            slots.rotate(-1)
            return slots[0].send(frames)

        try:
            yield send
        finally:
            slots[0].used.record(self.stream)
            with self._lock:
                self._free.extend(slots)

    def _take(self) -> deque[_Slot]:
        with self._lock:
            slots = [self._free.pop() for _ in range(min(SLOTS, len(self._free)))]
        return deque(slots + [_Slot(self) for _ in range(SLOTS - len(slots))])

    def put(self, values: Tensor) -> Tensor:
        """A small tensor of the host on the device, without waiting for what it computes."""
        # torch keeps page-locked memory until copies from it have ended.
        pinned = values.pin_memory() if self.pinned else values
        return pinned.to(self.device, non_blocking=True)

    def fetched(self, tensors: Sequence[Tensor]) -> list[np.ndarray]:
        """The values of tensors that the device computes; waits for it, once."""
        hosts = []
        for tensor in tensors:
            host = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=self.pinned)
            hosts.append(host.copy_(tensor, non_blocking=True))
        done = self.event()
        done.record(self.stream)
        done.synchronize()
        return [host.numpy().copy() for host in hosts]
