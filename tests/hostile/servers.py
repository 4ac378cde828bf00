"""Servers of hostile answers, for inputs of tests/hostile; each runs in a thread of the test."""

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path

OK = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
PUBLIC, PRIVATE = "127.0.0.2", "127.0.0.1"
"""Addresses of this machine; tests take the first for one of the internet."""

Answer = Callable[[str], Iterable[bytes]]
"""The path of a request -> the bytes of its answer, in pieces."""


def serve(answer: Answer, address: str = PRIVATE, scheme: str = "http") -> str:
    """Answer all requests to an address; returns the URL without a path."""
    listening = socket.create_server((address, 0))

    def accept() -> None:
        while True:
            connection, _ = listening.accept()
            threading.Thread(target=_answer, args=(connection, answer), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return f"{scheme}://{address}:{listening.getsockname()[1]}"


def _answer(connection: socket.socket, answer: Answer) -> None:
    with connection, suppress(OSError):
        request = b""
        while b"\r\n\r\n" not in request and (block := connection.recv(10_000)):
            request += block
        path = request.partition(b"\r\n")[0].split(b" ")
        for piece in answer(path[1].decode() if len(path) > 1 else ""):
            connection.sendall(piece)


def silent() -> str:
    """A server that takes connections and says nothing; returns its URL with https."""
    listening = socket.create_server((PRIVATE, 0))
    held = []

    def accept() -> None:
        while True:
            held.append(listening.accept())

    threading.Thread(target=accept, daemon=True).start()
    return f"https://{PRIVATE}:{listening.getsockname()[1]}"


def recording(folder: Path) -> str:
    """A private server that must not be reached; writes folder/reached when it is."""

    def answer(path: str) -> Iterable[bytes]:
        (folder / "reached").touch()
        yield page(b"secret")

    return serve(answer)


def page(body: bytes, kind: str = "text/html", *headers: str) -> bytes:
    """A whole answer."""
    lines = [f"Content-Type: {kind}", f"Content-Length: {len(body)}", *headers]
    return OK + "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + body


def redirect(target: str, *headers: str) -> bytes:
    """The head of an answer that leads to another URL."""
    lines = ["HTTP/1.1 302 Found", "Connection: close", f"Location: {target}", *headers, "", ""]
    return "\r\n".join(lines).encode()


def drip(data: bytes) -> Iterable[bytes]:
    """A byte each 20 ms."""
    for place in range(len(data)):
        yield data[place : place + 1]
        time.sleep(0.02)


def endless(piece: bytes) -> Iterable[bytes]:
    """The same bytes for ever."""
    block = piece * (65536 // len(piece) + 1)
    while True:
        yield block


@cache
def bomb(megabytes: int) -> bytes:
    """A gzip file of zeros, a thousandth of its content."""
    return gzip.compress(bytes(10_000_000), 6) * (megabytes // 10)
