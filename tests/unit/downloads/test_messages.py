"""Messages of real errors of urllib3, requests and yt-dlp."""

import socket
import time

import pytest
from yt_dlp import YoutubeDL
from yt_dlp.utils import YoutubeDLError

from trailers12k.common.errors import Failure
from trailers12k.downloads import http
from trailers12k.downloads.messages import without_objects


@pytest.fixture
def closed() -> str:
    """The address of a port of this machine on which nothing listens."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{server.getsockname()[1]}/a.mp4"


def test_a_refused_connection_is_reported_in_words(closed):
    with pytest.raises(Failure) as error:
        http.read(http.session(0), closed, 100, 5)
    assert error.value.detail == (
        "Max retries exceeded with url: /a.mp4 (Failed to establish a new connection: [Errno 111] "
        "Connection refused)"
    )


def test_the_cause_of_an_error_of_yt_dlp_is_not_repeated(closed):
    with (
        YoutubeDL({"quiet": True, "no_warnings": True, "extractor_retries": 0}) as client,
        pytest.raises(YoutubeDLError) as error,
    ):
        client.extract_info(closed)
    assert "Connection(host=" in str(error.value)
    assert without_objects(str(error.value)) == (
        "ERROR: [generic] a: Unable to download webpage: Failed to establish a new connection: "
        "[Errno 111] Connection refused"
    )


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("HTTP Error 404: Not Found", "HTTP Error 404: Not Found"),
        ("<urllib3.connection.HTTPSConnection object at 0x7f0ab>: refused", "refused"),
        ("BoundedPool(host='::1', port=None): Read timed out. (3 s)", "Read timed out. (3 s)"),
        ("no title (caused by KeyError('x')); see y", "no title (x); see y"),
    ],
)
def test_the_rest_of_a_message_stays(message, words):
    assert without_objects(message) == words


def test_the_time_for_a_long_message_is_bounded():
    began = time.process_time()
    assert len(without_objects("x" * 1_000_000)) < 10_000
    assert time.process_time() - began < 2
