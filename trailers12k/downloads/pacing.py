"""Spaces the requests to one host.

Reads and writes nothing. Must not know what is downloaded.
"""

import random
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from urllib.parse import urlsplit

from trailers12k.common.errors import Cancelled
from trailers12k.jobs.runner import StopSignal


class HostRateLimiter:
    """One download at a time from the hosts that are named, with a pause before each.

    pauses: host -> the least and the most seconds; its subdomains are meant too.
    """

    def __init__(self, pauses: Mapping[str, Sequence[float]], stop: StopSignal):
        self._hosts = {
            host: (threading.Lock(), least, most) for host, (least, most) in pauses.items()
        }
        self._stop = stop

    @contextmanager
    def turn(self, address: str) -> Iterator[None]:
        """Wait until it is this address's turn. Raises `Cancelled` when the job is stopped."""
        host = urlsplit(address).hostname or ""
        named = (self._hosts[name] for name in self._hosts if f".{host}".endswith(f".{name}"))
        lock, least, most = next(named, (nullcontext(), 0, 0))
        with lock:
            # A pause before, not after: the job of the next shard follows at once.
            wait(random.uniform(least, most), self._stop)
            yield


def wait(seconds: float, stop: StopSignal) -> None:
    """Sleep, but no longer than the stop allows. Raises `Cancelled`."""
    end = time.monotonic() + seconds
    while True:
        if stop.reason:
            raise Cancelled
        left = end - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(left, 0.5))


def _pause(n: int) -> int:
    """Seconds before the n-th try after the first; yt-dlp asks for it by this name."""
    return min(2**n, 30)
