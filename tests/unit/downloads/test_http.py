"""Files over HTTP from a server on loopback."""

import gzip
import hashlib
import re
import shutil
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from trailers12k.common.errors import Failure, UserError
from trailers12k.downloads import http
from trailers12k.downloads.bounds import Bounds, bounded


class Site:
    """One file, `data`; the connection closes after `stop` bytes."""

    data, etag, stop, ranges, encoding = bytes(range(256)) * 1000, "1", None, True, ""
    length, part = True, False

    def __init__(self):
        self.requests = []


@pytest.fixture
def site(monkeypatch):
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            begin = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            start = int(begin[1]) if begin and site.ranges else 0
            site.requests.append(self.headers.get("Range"))
            if start and start >= len(site.data):
                self.send_error(416)
                return
            self.send_response(206 if start or site.part else 200)
            self.send_header("ETag", site.etag)
            if site.length:
                self.send_header("Content-Length", str(len(site.data) - start))
            if site.encoding:
                self.send_header("Content-Encoding", site.encoding)
            self.end_headers()
            self.wfile.write(site.data[start : site.stop])

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        site.url = f"http://127.0.0.1:{server.server_port}/file.gz"
        yield site
        server.shutdown()


def begin(site, path, size=100_000):
    """A download that was interrupted after `size` bytes."""
    site.stop = size
    with pytest.raises(UserError, match="run the same command again"):
        http.fetch(site.url, path)
    site.stop = None
    (partial,) = path.parent.iterdir()
    assert partial.name.startswith("file.gz.") and partial.stat().st_size == size
    return partial


def test_a_download_leaves_only_its_file(site, tmp_path):
    path = tmp_path / "new" / "file.gz"
    http.fetch(site.url, path, f"md5:{hashlib.md5(site.data).hexdigest()}")
    assert path.read_bytes() == site.data and [p.name for p in path.parent.iterdir()] == ["file.gz"]


def test_a_partial_download_is_continued(site, tmp_path):
    begin(site, tmp_path / "file.gz")
    http.fetch(site.url, tmp_path / "file.gz")
    assert (tmp_path / "file.gz").read_bytes() == site.data
    assert site.requests[-1] == "bytes=100000-"


def test_a_server_without_ranges_restarts_the_download(site, tmp_path):
    begin(site, tmp_path / "file.gz")
    site.ranges = False
    http.fetch(site.url, tmp_path / "file.gz")
    assert (tmp_path / "file.gz").read_bytes() == site.data


def test_a_partial_download_of_another_version_is_not_continued(site, tmp_path):
    begin(site, tmp_path / "file.gz")
    site.etag, site.data = "2", site.data[::-1]
    http.fetch(site.url, tmp_path / "file.gz")
    assert (tmp_path / "file.gz").read_bytes() == site.data
    assert [path.name for path in tmp_path.iterdir()] == ["file.gz"]


@pytest.mark.parametrize("more", [b"", b"x"])
def test_a_complete_or_oversized_partial_download_is_handled(site, tmp_path, more):
    begin(site, tmp_path / "file.gz").write_bytes(site.data + more)
    http.fetch(site.url, tmp_path / "file.gz")
    assert (tmp_path / "file.gz").read_bytes() == site.data


def test_a_file_with_another_md5_is_refused_and_removed(site, tmp_path):
    with pytest.raises(UserError, match="its md5 is .*, and should be 0"):
        http.fetch(site.url, tmp_path / "file.gz", "md5:" + "0" * 32)
    assert list(tmp_path.iterdir()) == []


def test_a_compressed_file_stays_compressed_whatever_the_servers_headers(site, tmp_path):
    site.data, site.encoding = gzip.compress(b"inside"), "gzip"
    http.fetch(site.url, tmp_path / "file.gz")
    assert gzip.decompress((tmp_path / "file.gz").read_bytes()) == b"inside"


def test_no_message_contains_the_query_of_a_url(tmp_path):
    with pytest.raises(Failure) as failure:
        http.read(http.session(0), "http://127.0.0.1:9/x?key=secret", 100, 1)
    with pytest.raises(UserError) as error:
        http.fetch("http://127.0.0.1:9/x?key=secret", tmp_path / "x", retries=0)
    assert "secret" not in f"{failure.value} {error.value}"


def test_the_size_and_the_beginning_of_a_file_are_checked_early(site, tmp_path, monkeypatch):
    sizes, beginnings = [], []
    monkeypatch.setattr(http, "BEGINNING", len(site.data) // 2)
    checks = http.Checks(sizes.append, lambda path: beginnings.append(path.stat().st_size))
    http.fetch(site.url, tmp_path / "file.gz", checks=checks)
    assert sizes == [len(site.data)]
    (begun,) = beginnings
    assert len(site.data) // 2 <= begun <= len(site.data)


def test_a_failure_has_the_status_of_the_servers_answer(site):
    site.data = b""
    client = http.session(retries=0)
    headers = {"Range": "bytes=1-"}
    with (
        bounded(Bounds(), 100),
        pytest.raises(Failure) as failure,
        http.opened(client, site.url, 5, headers),
    ):
        pass
    assert (failure.value.status, failure.value.reason) == (416, "bad_partial")
    with (
        bounded(Bounds(), 100),
        pytest.raises(Failure) as failure,
        http.opened(client, "http://127.0.0.1:1/", 5),
    ):
        pass
    assert (failure.value.status, failure.value.reason) == (None, "network")


def test_a_file_must_fit_on_the_disk(site, tmp_path, monkeypatch):
    """One without a stated size leaves space for other jobs."""
    free = shutil._ntuple_diskusage(10**9, 0, len(site.data) - 1)
    monkeypatch.setattr(http.shutil, "disk_usage", lambda folder: free)
    with pytest.raises(UserError, match="local_io: 0 MB are needed, 0 MB are free"):
        http.fetch(site.url, tmp_path / "file.gz")
    site.length = False
    monkeypatch.setattr(http, "SPARE", 56_000)
    with pytest.raises(UserError, match=r"too_large: more than 0\.199999 MB were sent"):
        http.fetch(site.url, tmp_path / "file.gz")
    assert list(tmp_path.iterdir()) == []


def test_a_part_that_was_not_requested_is_refused(site, tmp_path):
    site.part = True
    with pytest.raises(UserError, match="HTTP Error 206"):
        http.fetch(site.url, tmp_path / "file.gz")


@pytest.fixture
def answering():
    """A server that writes the bytes of its list `answer`, whatever is requested."""
    answer = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client:
                    client.recv(4096)
                    client.sendall(answer[0])

        threading.Thread(target=serve, daemon=True).start()
        yield answer, f"http://127.0.0.1:{server.getsockname()[1]}/a"


def test_a_chunk_of_a_negative_size_fails_one_file(answering, tmp_path):
    answer, url = answering
    answer.append(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n")
    with pytest.raises(Failure, match="bad_answer"):
        http.read(http.session(0), url, 1000, 5)
    with pytest.raises(UserError, match="bad_answer"):
        http.fetch(url, tmp_path / "a", retries=0)


def test_a_long_reason_phrase_is_cut(answering):
    answer, url = answering
    answer.append(b"HTTP/1.1 404 " + b"\x1b[31m" * 6000 + b"\r\nContent-Length: 0\r\n\r\n")
    with pytest.raises(Failure) as caught:
        http.read(http.session(0), url, 1000, 5)
    assert len(caught.value.detail) < 200
    assert caught.value.detail.isprintable()
