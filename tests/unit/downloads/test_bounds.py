"""The bounds of a download, on connections to a server on loopback."""

import socket
import threading
from contextlib import suppress

import pytest
import requests

from trailers12k.common.errors import Failure
from trailers12k.downloads import bounds, http
from trailers12k.downloads.bounds import Bounds, OutOfBounds, bounded

BODY = bytes(100_000)


@pytest.fixture
def server():
    """Answers each connection with BODY, in pieces of 1000 bytes."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer():
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(10_000)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                    for start in range(0, len(BODY), 1000):
                        try:
                            connection.sendall(BODY[start : start + 1000])
                        except OSError:
                            break

        threading.Thread(target=answer, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"


def test_a_download_within_its_bounds_is_whole(server):
    client = http.session(0)
    with bounded(Bounds(), len(BODY)):
        assert client.get(server, timeout=5).content == BODY
    with pytest.raises(RuntimeError, match="outside of bounded"):
        client.get(server, timeout=5)


def test_a_crossed_bound_ends_the_download_whatever_the_client_does(server, monkeypatch):
    monkeypatch.setattr(bounds, "EXTRA", 0)
    client = http.session(0)
    with (
        pytest.raises(OutOfBounds, match="too_large: more than 0.02 MB"),
        bounded(Bounds(), 10_000),
    ):
        try:
            _ = client.get(server, timeout=5).content
        except Failure:
            raise ValueError from None
    with pytest.raises(OutOfBounds, match="too_large"), bounded(Bounds(), 10_000):
        for _ in range(2):
            with pytest.raises(OutOfBounds):
                _ = client.get(server, timeout=5).content
    with bounded(Bounds(), len(BODY)):
        assert client.get(server, timeout=5).content == BODY, "the next download is another"


def test_the_most_time_counts_for_all_requests_of_a_download(server):
    client = http.session(0)
    most = Bounds(most_time=0.3)
    with pytest.raises(OutOfBounds, match="not complete after 0.3 s"), bounded(most, 10**9):
        while True:
            # On a busy machine a connection may be reset.
            with suppress(requests.ConnectionError):
                _ = client.get(server, timeout=5).content


def test_the_rate_is_measured_while_waiting():
    meter = bounds.Meter(Bounds(least_rate=100, window=10.0), 10**9)
    meter.count(500, 9.0)
    meter.count(600, 1.0)
    meter.count(0, 9.0)
    with pytest.raises(OutOfBounds, match="network: 50 bytes a second for 10 s"):
        meter.count(500, 1.0)
    with pytest.raises(OutOfBounds):
        meter.check()


def test_proxies_are_bounded_too(server, monkeypatch):
    monkeypatch.setattr(bounds, "EXTRA", 0)
    client = http.session(0)
    client.proxies = {"http": server}
    with pytest.raises(OutOfBounds), bounded(Bounds(), 10_000):
        client.get("http://example.org/", timeout=5)
    with bounded(Bounds(), len(BODY)):
        assert client.get("http://example.org/", timeout=5).content == BODY
