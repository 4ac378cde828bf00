"""Bounds of a download, the same for every client: least rate, most time, most size, addresses.

Counts what `downloads.connections` receives; reads and writes no files. Must not know what is
downloaded, or by which client.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

from trailers12k.common.errors import Failure
from trailers12k.downloads.addresses import HOW, Private, Reach

WINDOW = 30.0
"""Seconds of waiting for data over which a rate is measured."""

REPEATED, EXTRA = 2, 16_000_000
"""A download may receive this many times its most bytes, and this many more: it may start again,
and pages and playlists come before the file."""

HEADERS = 300_000
"""Bytes of the headers of one answer, with those of interim answers (100 Continue), as in curl."""


@dataclass(frozen=True)
class Bounds:
    """least_rate: bytes a second, while waiting for data. most_time: seconds of one attempt.

    private: whether private addresses may be contacted. window: seconds of waiting over which the
    rate is measured; None: `WINDOW`.
    """

    least_rate: float = 1000.0
    most_time: float = 3600.0
    private: Private = Private.NAMED
    window: float | None = None


USUAL = Bounds()


class OutOfBounds(Failure):
    """A download that crossed a bound; an immediate retry would cross it again."""


class Meter:
    """What one download has received and contacted so far. most_bytes: of the file."""

    def __init__(self, bounds: Bounds, most_bytes: float):
        self.failure: OutOfBounds | None = None
        self._bounds = bounds
        self._window = WINDOW if bounds.window is None else bounds.window
        self._most_bytes = REPEATED * most_bytes + EXTRA
        self._end = time.monotonic() + bounds.most_time
        self._received = 0
        self._window_seconds, self._window_bytes = 0.0, 0
        self._most_headers = float("inf")
        self._reach = Reach(bounds.private)

    def check(self) -> None:
        """Raise `OutOfBounds` when the time is over, and again after any bound was crossed."""
        if time.monotonic() > self._end:
            self.fail("network", f"not complete after {self._bounds.most_time:g} s")
        if self.failure:
            raise self.failure

    def count(self, size: int, seconds: float) -> None:
        """Count bytes and the seconds that they took. Raises `OutOfBounds`."""
        self._received += size
        self._window_bytes += size
        self._window_seconds += seconds
        if self._received > self._most_bytes:
            self.fail("too_large", f"more than {self._most_bytes / 1e6:g} MB were received")
        if self._received > self._most_headers:
            self.fail("bad_answer", f"more than {HEADERS / 1e3:g} kB of headers")
        if self._window_seconds >= self._window:
            rate = self._window_bytes / self._window_seconds
            if rate < self._bounds.least_rate:
                self.fail(
                    "network",
                    f"{rate:.0f} bytes a second for {self._window_seconds:.0f} s; "
                    f"{self._bounds.least_rate:.0f} at least",
                )
            self._window_seconds, self._window_bytes = 0.0, 0
        self.check()

    @contextmanager
    def headers(self) -> Iterator[None]:
        """Bound what is received within by `HEADERS`."""
        self._most_headers = self._received + HEADERS
        try:
            yield
        finally:
            self._most_headers = float("inf")

    def allowed(self, host: str, numbers: Sequence[str]) -> list[str]:
        """Those of a host's IP addresses that may be contacted. Raises `OutOfBounds` if none."""
        allowed = [number for number in numbers if self._reach.allows(number)]
        if numbers and not allowed:
            shown = host if host == numbers[0] else f"{host:.80} ({numbers[0]})"
            self.fail("unsafe_address", f"{shown} is a private address, {HOW}")
        return allowed

    def contact(self, host: str, number: str) -> None:
        """Record that an IP address is contacted; "" for a host that only a proxy resolves.

        Raises `OutOfBounds` if it must not be.
        """
        self.allowed(host, [number] if number else [])
        self._reach.contacted(number)

    def fail(self, reason: str, detail: str) -> NoReturn:
        """End the download. Raises `OutOfBounds`, the same one each time."""
        self.failure = self.failure or OutOfBounds(reason, detail)
        raise self.failure


_current = threading.local()


@contextmanager
def bounded(bounds: Bounds, most_bytes: float) -> Iterator[None]:
    """Bound all that this thread receives over connections of `downloads.connections`.

    most_bytes: size of the largest file. Raises `OutOfBounds`, whatever the client makes of it.
    """
    outer: Meter | None = getattr(_current, "meter", None)
    meter = _current.meter = Meter(bounds, most_bytes)
    try:
        yield
    except Exception as error:
        if meter.failure and error is not meter.failure:
            raise meter.failure from error
        raise
    finally:
        _current.meter = outer
    if meter.failure:
        raise meter.failure


def current() -> Meter:
    """The meter of this thread's download. No request is made outside of `bounded`."""
    meter: Meter | None = getattr(_current, "meter", None)
    if meter is None:
        raise RuntimeError("a request outside of bounded()")
    return meter
