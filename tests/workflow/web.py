"""A server on loopback that misbehaves on demand and counts requests."""

import io
import re
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import av
import numpy as np
from PIL import Image


def video(seconds: float = 2.0, seed: int = 0) -> bytes:
    """A small H.264 file of noise. Its index is at the front, so a truncated one opens."""
    random = np.random.default_rng(seed)
    with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
        container = av.open(file.name, "w", options={"movflags": "faststart"})
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(round(24 * seconds)):
            picture = random.integers(0, 255, (48, 64, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode())
        container.close()
        return Path(file.name).read_bytes()


def marked(data: bytes, mark: str) -> bytes:
    """The same video as a different file: `mark` is in a box that players skip."""
    body = mark.encode()
    return data + (8 + len(body)).to_bytes(4, "big") + b"free" + body


def picture(form: str, mode: str, **options: object) -> bytes:
    """A small image file."""
    buffer = io.BytesIO()
    Image.new(mode, (40, 60)).save(buffer, form, **options)
    return buffer.getvalue()


def animation() -> bytes:
    """An animated GIF of three frames."""
    frames = [Image.new("P", (40, 60), shade) for shade in (0, 100, 200)]
    return picture("GIF", "P", save_all=True, append_images=frames)


class Web:
    """Files below paths /KIND/NAME; the kind determines the server's behaviour.

    good, status-NNN, busy (503 twice), redirect, loop, cut (disconnects halfway, three times),
    cut-norange, cut-nolength, truncated, html, page (no video at all), stall, slow, named (with a
    hostile name). Once `mended`, all are good. Paths below /search/ are answered by `search`,
    with a feed or a status. `kinds` overrides the kind for some names.
    """

    def __init__(self, files: dict[str, bytes]):
        self.files = files
        self.search: Callable[[str], bytes | int] = lambda path: 404
        self.mended = False
        self.kinds: dict[str, str] = {}
        self.requests: Counter[str] = Counter()
        self.sent: Counter[str] = Counter()
        self.ranges: list[tuple[str, int]] = []
        self.agents: set[str] = set()
        self.closing = threading.Event()
        self._lock = threading.Lock()

    def __enter__(self) -> "Web":
        handler = type("Handler", (_Handler,), {"web": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()

    def count(self, path: str, size: int = 0) -> int:
        """Record a request, or `size` bytes sent; returns the number of requests for the path."""
        with self._lock:
            self.requests[path] += not size
            self.sent[path] += size
            return self.requests[path]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    web: Web

    def end_headers(self) -> None:
        self.send_header("Connection", "close")
        super().end_headers()

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self.close_connection = True
        web, kind = self.web, self.path.split("/")[1]
        web.agents.add(self.headers.get("User-Agent", ""))
        path = urlsplit(self.path).path
        number = web.count(path if kind != "search" else "/search")
        if web.mended:
            kind = "good"
        name = path.split("/")[-1]
        kind, data = web.kinds.get(name, kind), web.files.get(name, b"")
        with suppress(BrokenPipeError, ConnectionResetError):
            self.answer(kind, number, data)

    def answer(self, kind: str, number: int, data: bytes) -> None:
        if kind == "search":
            answer = self.web.search(self.path)
            if isinstance(answer, int):
                self.send_error(answer)
            else:
                self.send(answer, kind="application/rss+xml")
        elif kind.startswith("status-"):
            self.send_error(int(kind.removeprefix("status-")))
        elif kind == "busy" and number <= 2:
            self.send_error(503)
        elif kind in ("redirect", "loop"):
            target = f"/good/{self.path.split('/')[-1]}" if kind == "redirect" else self.path
            self.send_response(302)
            self.send_header("Location", target)
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif kind == "truncated":
            self.send(data[: int(len(data) * 0.6)])
        elif kind in ("html", "page"):
            kind = "video/mp4" if kind == "html" else "text/html"
            self.send(b"<html><body>Nothing to see.</body></html>", kind=kind)
        elif kind == "cut-nolength":
            self.send(data[: int(len(data) * 0.6)], length=False)
        elif kind.startswith("cut"):
            self.send(data, ranges=kind == "cut", stop=0.5 if number <= 3 else 1.0)
        elif kind == "stall":
            self.send(data, stop=0.5)
            self.wfile.flush()
            self.web.closing.wait(60)
        elif kind == "named":
            self.send(data, name="../../../../evil.mp4")
        elif kind == "slow":
            self.send(data, slow=True)
        else:
            self.send(data)

    def send(
        self,
        data: bytes,
        kind: str = "video/mp4",
        ranges: bool = True,
        length: bool = True,
        stop: float = 1.0,
        slow: bool = False,
        name: str = "",
    ) -> None:
        """Send a file or the requested range.

        ranges, length: whether to support ranges and to state the length. stop: share of the file
        after which to end. slow: whether to pause between small blocks. name: for the file.
        """
        start = 0
        requested = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if requested and ranges:
            start = int(requested[1])
            if start:
                self.web.ranges.append((self.path, start))
            if start >= len(data):
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            self.send_response(200)
        self.send_header("Content-Type", kind)
        if name:
            self.send_header("Content-Disposition", f'attachment; filename="{name}"')
        if ranges:
            self.send_header("Accept-Ranges", "bytes")
        if length:
            self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        end = start + int((len(data) - start) * stop)
        block = 2000 if slow else 1 << 16
        for at in range(start, end, block):
            part = data[at : min(end, at + block)]
            self.wfile.write(part)
            self.web.count(self.path, len(part))
            time.sleep(0.1 if slow else 0)
