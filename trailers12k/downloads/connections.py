"""Connections of urllib3 whose answers are measured, and whose peers are checked.

Opens connections for requests and yt-dlp; reads and writes no files. Must not know what is
downloaded.
"""

import io
import socket
import time
from functools import cache
from typing import Any

from urllib3.connection import HTTPConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    LocationParseError,
    NameResolutionError,
    NewConnectionError,
)
from urllib3.util.connection import allowed_gai_family
from urllib3.util.ssltransport import SSLTransport

from trailers12k.downloads.addresses import host_of, number_of
from trailers12k.downloads.bounds import current


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
    host: str
    port: int
    proxy: Any
    _dns_host: str
    _tunnel_host: str | None
    _number = ""

    def connect(self) -> None:
        meter = current()
        if self._tunnel_host:
            meter.contact(self._tunnel_host, number_of(self._tunnel_host))
        # A proxy answers, too.
        with meter.headers():
            super().connect()  # type: ignore[misc]
        # TLS within TLS reads from a measured socket.
        if not isinstance(self.sock, (_Socket, SSLTransport)):
            self.sock = _Socket(self.sock)

    def request(self, method: str, url: str, *more: Any, **options: Any) -> Any:
        # Also where the connection is open since an earlier download.
        if self.sock is not None and self._is_direct():
            current().contact(self.host, self._number)
        elif not self._is_direct():
            host = self._tunnel_host or host_of(url) or self.host
            current().contact(host, number_of(host))
        return super().request(method, url, *more, **options)  # type: ignore[misc]

    def getresponse(self) -> Any:
        with current().headers():
            response = super().getresponse()  # type: ignore[misc]
        # Before a retry, urllib3 reads the rest of an answer, which may be endless.
        response.drain_conn = response.close
        return response

    def _is_direct(self) -> bool:
        own = super()._new_conn  # type: ignore[misc]
        return self.proxy is None and own.__func__ is HTTPConnection._new_conn

    def _new_conn(self) -> Any:
        """A socket that is connected to an address that may be contacted.

        The address is resolved, checked and used here: no second answer of a name server counts.
        """
        connected = super()._new_conn  # type: ignore[misc]
        if not self._is_direct():
            return _Socket(connected())
        name, meter = self._dns_host, current()
        error: Exception | None = None
        for number in meter.allowed(self.host, self._numbers(name)):
            meter.check()
            self._dns_host = number
            try:
                sock = connected()
            except (NewConnectionError, ConnectTimeoutError) as one:
                error = one
                continue
            finally:
                self._dns_host = name
            self._number = sock.getpeername()[0]
            try:
                meter.contact(self.host, self._number)
            except BaseException:
                sock.close()
                raise
            return _Socket(sock)
        raise error or NewConnectionError(self, "the name has no address")  # type: ignore[arg-type]

    def _numbers(self, name: str) -> list[str]:
        """The IP addresses of a host."""
        try:
            found = socket.getaddrinfo(
                name.strip("[]"), self.port, allowed_gai_family(), socket.SOCK_STREAM
            )
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error  # type: ignore[arg-type]
        except UnicodeError:
            raise LocationParseError(f"{name:.80}, label empty or too long") from None
        return list(dict.fromkeys(str(address[0]) for *_, address in found))


class _Socket:
    """A connected socket whose answers are measured. All else is the socket's own."""

    def __init__(self, sock: Any):
        self._sock = sock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def makefile(self, mode: str = "r", *args: Any, **options: Any) -> Any:
        """The answer, to be read by http.client."""
        return io.BufferedReader(_Answer(self._sock.makefile(mode, buffering=0)))

    def recv(self, size: int, *flags: int) -> bytes:
        """Bytes for TLS within TLS."""
        meter = current()
        meter.check()
        began = time.monotonic()
        data: bytes = self._sock.recv(size, *flags)
        meter.count(len(data), time.monotonic() - began)
        return data


class _Answer(io.RawIOBase):
    """Each read returns what has arrived, so slow bytes cannot hold a reader of large blocks."""

    def __init__(self, raw: Any):
        super().__init__()
        self._raw = raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        meter = current()
        meter.check()
        began = time.monotonic()
        size: int | None = self._raw.readinto(buffer)
        meter.count(size or 0, time.monotonic() - began)
        return size

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()
