"""Bounds of a download, the same for every client: a least rate, a most time, a most size.

Measures what arrives on the connections that it wraps; reads and writes no files. Must not know
what is downloaded, or by which client.
"""

import io
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from trailers12k.common.errors import Failure

WINDOW = 30.0
"""Seconds of waiting for data over which a rate is measured."""

REPEATED, EXTRA = 2, 16_000_000
"""A download may receive this many times its most bytes, and this many more: it may start again,
and pages and playlists come before the file."""


@dataclass(frozen=True)
class Bounds:
    """least_rate: bytes a second, while waiting for data. most_time: seconds of one attempt."""

    least_rate: float = 1000.0
    most_time: float = 3600.0


USUAL = Bounds()


class OutOfBounds(Failure):
    """A download that crossed a bound; an immediate retry would cross it again."""


class _Meter:
    """What one download has received so far. most_bytes: of the file."""

    def __init__(self, bounds: Bounds, most_bytes: float):
        self.failure: OutOfBounds | None = None
        self._bounds = bounds
        self._most_bytes = REPEATED * most_bytes + EXTRA
        self._end = time.monotonic() + bounds.most_time
        self._received = 0
        self._window_seconds, self._window_bytes = 0.0, 0

    def check(self) -> None:
        """Raise `OutOfBounds` when the time is over, and again after any bound was crossed."""
        if time.monotonic() > self._end:
            self._fail("network", f"not complete after {self._bounds.most_time:g} s")
        if self.failure:
            raise self.failure

    def count(self, size: int, seconds: float) -> None:
        """Count bytes and the seconds that they took. Raises `OutOfBounds`."""
        self._received += size
        self._window_bytes += size
        self._window_seconds += seconds
        if self._received > self._most_bytes:
            self._fail("too_large", f"more than {self._most_bytes / 1e6:g} MB were received")
        if self._window_seconds >= WINDOW:
            rate = self._window_bytes / self._window_seconds
            if rate < self._bounds.least_rate:
                self._fail(
                    "network",
                    f"{rate:.0f} bytes a second for {self._window_seconds:.0f} s; "
                    f"{self._bounds.least_rate:.0f} at least",
                )
            self._window_seconds, self._window_bytes = 0.0, 0
        self.check()

    def _fail(self, reason: str, detail: str) -> None:
        self.failure = self.failure or OutOfBounds(reason, detail)


_current = threading.local()


@contextmanager
def bounded(bounds: Bounds, most_bytes: float) -> Iterator[None]:
    """Bound all that this thread receives over connections of `bound_pools`.

    most_bytes: size of the largest file. Raises `OutOfBounds`, whatever the client makes of it.
    """
    outer: _Meter | None = getattr(_current, "meter", None)
    meter = _current.meter = _Meter(bounds, most_bytes)
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


def bound_pools(manager: Any) -> Any:
    """Let a pool manager of urllib3 make connections that are measured; returns it."""
    manager.pool_classes_by_scheme = {
        scheme: _bounded_pool(pool) for scheme, pool in manager.pool_classes_by_scheme.items()
    }
    return manager


@cache
def _bounded_pool(pool: type) -> type:
    connection: type = pool.ConnectionCls  # type: ignore[attr-defined]
    if issubclass(connection, _BoundedConnection):
        return pool
    bounded_connection = type("BoundedConnection", (_BoundedConnection, connection), {})
    return type("BoundedPool", (pool,), {"ConnectionCls": bounded_connection})


class _BoundedConnection:
    """Mixin of a connection of urllib3."""

    sock: Any

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        self.sock = _Socket(self.sock)


class _Socket:
    """A connected socket whose answers are measured. All else is the socket's own."""

    def __init__(self, sock: Any):
        self._sock = sock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def makefile(self, mode: str = "r", *args: Any, **options: Any) -> Any:
        """The answer, to be read by http.client."""
        return io.BufferedReader(_Answer(self._sock.makefile(mode, buffering=0)))


class _Answer(io.RawIOBase):
    """Each read returns what has arrived, so slow bytes cannot hold a reader of large blocks."""

    def __init__(self, raw: Any):
        super().__init__()
        self._raw = raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        meter: _Meter | None = getattr(_current, "meter", None)
        if meter is None:
            size: int | None = self._raw.readinto(buffer)
            return size
        meter.check()
        began = time.monotonic()
        size = self._raw.readinto(buffer)
        meter.count(size or 0, time.monotonic() - began)
        return size

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()
