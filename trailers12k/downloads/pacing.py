"""Spaces the requests to a host.

Reads and writes nothing. Must not know what is downloaded.
"""

import random
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from urllib.parse import urlsplit

from trailers12k.common.errors import Cancelled
from trailers12k.common.youtube import site_domain
from trailers12k.jobs.runner import StopSignal


class HostRateLimiter:
    """Serializes the downloads from certain hosts, with a pause before each.

    pauses: host -> shortest and longest pause in seconds; includes its subdomains. All names of
        YouTube are one host, for which the longest of their pauses count.
    """

    def __init__(self, pauses: Mapping[str, Sequence[float]], stop: StopSignal):
        merged: dict[str, tuple[float, float]] = {}
        for name, (shortest, longest) in pauses.items():
            host = site_domain(name)
            least, most = merged.get(host, (0, 0))
            merged[host] = max(shortest, least), max(longest, most)
        self._hosts = {host: (threading.Lock(), *pause) for host, pause in merged.items()}
        self._stop = stop

    @contextmanager
    def turn(self, address: str) -> Iterator[None]:
        """Wait for this address's turn. Raises `Cancelled` when the job is stopped."""
        host = site_domain(urlsplit(address).hostname or "")
        limits = (self._hosts[name] for name in self._hosts if f".{host}".endswith(f".{name}"))
        lock, shortest, longest = next(limits, (nullcontext(), 0, 0))
        with lock:
            # Before the download, not after: the next shard's job follows at once.
            wait(random.uniform(shortest, longest), self._stop)  # nosec B311  # no secret
            yield


def wait(seconds: float, stop: StopSignal) -> None:
    """Sleep. Raises `Cancelled` as soon as the job is stopped."""
    end = time.monotonic() + seconds
    while True:
        if stop.reason:
            raise Cancelled
        left = end - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(left, 0.5))


def retry_pause(n: int) -> int:
    """Seconds before the immediate retry `n`, from 0. yt-dlp passes `n` by this name."""
    return min(2**n, 30)
