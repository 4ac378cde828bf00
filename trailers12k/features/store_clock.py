"""Counts what each store of a job takes: its own network, and its part of the decoding.

Reads and writes nothing. Must not know how features are computed.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch

from trailers12k.features.backbones.meter import Meter


class StoreMeter(Meter):
    """A meter of the job that also counts the seconds of each store's network.

    On the CPU these are CPU seconds of the threads that call the networks: torch has no others.
    """

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.local()
        self._on_cpu: dict[str, float] = {}
        self._on_gpu: dict[str, Meter] = {}
        self._counting = threading.Lock()

    def watch(self, store: str, network: Any) -> None:
        """Count what a network, a `Backbone` or `SoundBackbone`, computes as its store's."""
        # Wrapped here: an edit of the class would make all users compute their features again.
        network.forward = self._watched(store, network.forward)

    def _watched(self, store: str, forward: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def watched(batch: Any) -> Any:
            self._thread.store = store
            try:
                return forward(batch)
            finally:
                self._thread.store = None

        return watched

    @contextmanager
    def computing(self, device: torch.device) -> Iterator[None]:
        """See `Meter`; what no network computes, as the cropping of frames, is no store's."""
        store = getattr(self._thread, "store", None)
        with super().computing(device), self._own(store, device) if store else nullcontext():
            yield

    @contextmanager
    def _own(self, store: str, device: torch.device) -> Iterator[None]:
        if device.type == "cuda":
            with self._counting:
                meter = self._on_gpu.setdefault(store, Meter())
            with meter.computing(device):
                yield
            _ = meter.busy  # which lets go of the events of passes that have ended
            return
        began = time.thread_time()
        try:
            yield
        finally:
            seconds = time.thread_time() - began
            self._thread.seconds = self.of_thread + seconds
            with self._counting:
                self._on_cpu[store] = self._on_cpu.get(store, 0.0) + seconds

    @property
    def of_thread(self) -> float:
        """CPU seconds of all networks in this thread."""
        return float(getattr(self._thread, "seconds", 0.0))

    @property
    def seconds(self) -> dict[str, float]:
        """Store -> seconds of its network."""
        return self._on_cpu | {store: meter.busy for store, meter in self._on_gpu.items()}


@dataclass
class Share:
    """A store's part of a job. movies: that it computed. decoding: seconds of passes over files,
    each shared with the stores that it served. together: the most of these."""

    movies: int = 0
    decoding: float = 0.0
    together: int = 0


class StoreClock:
    """Divides the seconds of a job among its stores. Any thread may call it."""

    def __init__(self) -> None:
        self.meter = StoreMeter()
        self.shares: dict[str, Share] = {}
        self._lock = threading.Lock()

    @contextmanager
    def reading(self, stores: Sequence[str]) -> Iterator[None]:
        """One pass over a file for these stores, which succeeds where the context does."""
        began, own = time.perf_counter(), self.meter.of_thread
        yield
        seconds = time.perf_counter() - began - (self.meter.of_thread - own)
        with self._lock:
            for store in stores:
                share = self.shares.setdefault(store, Share())
                share.movies += 1
                share.decoding += max(0.0, seconds) / len(stores)
                share.together = max(share.together, len(stores))

    def divided(self, total: float) -> dict[str, float]:
        """Store -> its seconds of `total`, those of the job without loading networks.

        Each store has those of its network. The rest, mostly decoding, is divided as the time of
        the passes was.
        """
        own = {store: self.meter.seconds.get(store, 0.0) for store in self.shares}
        computing = sum(own.values())
        # On a GPU passes of several threads overlap, so they may add up to more than the job took.
        scale = min(1.0, total / computing) if computing else 0.0
        rest = max(0.0, total - computing)
        decoding = sum(share.decoding for share in self.shares.values())
        return {
            store: own[store] * scale + (rest * share.decoding / decoding if decoding else 0.0)
            for store, share in self.shares.items()
        }
