"""Clients that fetch from hostile servers, and the makers of these servers."""

import os
import socket
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

from tests.hostile import servers
from tests.hostile.inputs import HostileInput
from tests.hostile.servers import PRIVATE, PUBLIC, page
from trailers12k.common.movie import Movie
from trailers12k.downloads import addresses, bounds, http, page_search, posters, trailers
from trailers12k.downloads.bounds import Bounds
from trailers12k.downloads.settings import DownloadSettings
from trailers12k.features import weights_download
from trailers12k.jobs.runner import StopSignal

QUICK = Bounds(least_rate=1000, most_time=20, window=0.3)
MPD = "urn:mpeg:dash:schema:mpd:2011"
HLS, DASH, HTML = "application/vnd.apple.mpegurl", "application/dash+xml", "text/html"
SETTINGS = DownloadSettings(
    max_megabytes=1,
    retries=0,
    timeout=1,
    retry_pause=0,
    pause={},
    least_rate=0,
    most_time=20,
    private_addresses=True,
)


def read(url: str, bounds: Bounds = QUICK) -> bytes:
    """A small file, as TMDB's answers are read."""
    return http.read(http.session(retries=0), url, 100_000, 1, bounds)


def poster(url: str) -> object:
    """A poster of a table."""
    movie = Movie("tt0000001", "A", "2000", ("drama",), "", "", url)
    return posters.PosterFetcher(Path(), SETTINGS, StopSignal()).fetch(movie)


def fetch(url: str, bounds: Bounds = QUICK) -> object:
    """A file of a source, of weights or of a store."""
    checks = http.Checks(most_bytes=1_000_000)
    return http.fetch(url, Path("file"), timeout=1, retries=0, checks=checks, bounds=bounds)


def trailer(url: str, **settings: Any) -> object:
    """A trailer of a table, by yt-dlp."""
    movie = Movie("tt0000001", "A", "2000", ("drama",), "", url)
    fetcher = trailers.TrailerFetcher(Path(), replace(SETTINGS, **settings), StopSignal())
    return fetcher.fetch(movie)


def strict_poster(url: str) -> object:
    """`poster` as the configuration has it by default."""
    movie = Movie("tt0000001", "A", "2000", ("drama",), "", "", url)
    settings = replace(SETTINGS, private_addresses=False)
    return posters.PosterFetcher(Path(), settings, StopSignal()).fetch(movie)


def strict_trailer(url: str) -> object:
    """`trailer` as the configuration has it by default."""
    return trailer(url, private_addresses=False)


def no_internet(use: Callable[[Any], object]) -> Callable[[Any], object]:
    """`use` where `PUBLIC` counts as an address of the internet, and the rest is as it is.

    Raises AssertionError when the private server was reached.
    """

    def used(made: Any) -> object:
        is_private = addresses.is_private
        addresses.is_private = lambda number: number != PUBLIC and is_private(number)
        try:
            return use(made)
        finally:
            assert not Path("reached").exists(), "the private server was reached"

    return used


def through_proxy(use: Callable[[Any], object]) -> Callable[[Any], object]:
    """`use` with a proxy: what is made is (proxy, address)."""

    def used(made: tuple[str, str]) -> object:
        os.environ |= {"http_proxy": made[0], "https_proxy": made[0], "no_proxy": ""}
        return use(made[1])

    return used


def resolved(use: Callable[[Any], object], *answers: str) -> Callable[[Any], object]:
    """`use` with a name server whose answers for .test change from one question to the next."""

    def used(made: Any) -> object:
        real, left = socket.getaddrinfo, list(answers)

        def answer(host: str, *more: Any, **options: Any) -> Any:
            if str(host).endswith(".test"):
                host = left.pop(0) if len(left) > 1 else left[0]
            return real(host, *more, **options)

        socket.getaddrinfo = answer
        return use(made)

    return used


@cache
def warm() -> None:
    """Let yt-dlp load its extractors here, once, and not in each measured process."""
    import yt_dlp.extractor._extractors  # noqa: F401

    from trailers12k.downloads.ytdlp import BoundedYoutubeDL

    for extractor in BoundedYoutubeDL({"quiet": True})._ies.values():
        extractor.suitable("http://localhost/")


def server(answer: Callable[[], Iterable[bytes]], name: str = "a") -> Callable[[Path], str]:
    """Makes a private server whose answers are all the same; the address of a file there."""

    def make(folder: Path) -> str:
        warm()
        return f"{servers.serve(lambda path: answer())}/{name}"

    return make


def dripping(data: bytes) -> Callable[[Path], str]:
    """Makes a server that sends a byte after the other."""
    return server(lambda: servers.drip(data))


def never_ending(start: bytes, piece: bytes) -> Callable[[Path], str]:
    """Makes a server that repeats the same bytes after a start."""
    return server(lambda: chain([start], servers.endless(piece)))


def packed(kind: str, encoding: str, data: Callable[[], bytes]) -> Callable[[Path], str]:
    """Makes a server of a packed body."""
    ready = cache(lambda: page(data(), kind, f"Content-Encoding: {encoding}"))

    def make(folder: Path) -> str:
        ready()
        return server(lambda: [ready()])(folder)

    return make


def public(answer: Callable[[str], bytes], name: str = "a") -> Callable[[Path], str]:
    """Makes a public server; its answer gets the URL of a private one that nobody may reach."""

    def make(folder: Path) -> str:
        warm()
        private = servers.recording(folder)
        return f"{servers.serve(lambda path: [answer(private)], PUBLIC)}/{name}"

    return make


def private(host: str) -> Callable[[Path], str]:
    """Makes a private server that is not to be reached; its address with this host."""
    return lambda folder: servers.recording(folder).replace(PRIVATE, host) + "/a"


def proxy(
    address: str, answer: Callable[[], Iterable[bytes]] | None = None
) -> Callable[[Path], tuple[str, str]]:
    """Makes a proxy with an answer, or one that is not to be reached; and the address to fetch."""

    def make(folder: Path) -> tuple[str, str]:
        url = servers.serve(lambda path: answer()) if answer else servers.recording(folder)
        return url, address

    return make


def laughs() -> bytes:
    """A manifest whose entities grow to 3 GB."""
    names = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    return f'<!DOCTYPE MPD [<!ENTITY a0 "ha">{names}]><MPD xmlns="{MPD}">&a9;</MPD>'.encode()


def dash(template: str, seconds: int = 10) -> bytes:
    """A manifest of one format."""
    return (
        f'<MPD xmlns="{MPD}" mediaPresentationDuration="PT{seconds}S"><Period>'
        f'<AdaptationSet mimeType="video/mp4">{template}'
        '<Representation id="1" bandwidth="1" codecs="avc1.4d401e"/></AdaptationSet></Period></MPD>'
    ).encode()


def hls(lines: str) -> bytes:
    """A playlist that has an end."""
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n{lines}#EXT-X-ENDLIST\n".encode()


def row(kind: str, name: str, make: Any, use: Any, answer: str, bound: str, mb: float = 60) -> Any:
    """An input."""
    return HostileInput(kind, name, make, use, answer, bound, most_mb=mb, most_seconds=20)


def hub_hash(url: str) -> object:
    """The hash that the hub of weights reports."""
    return weights_download.hash_from_hub(url, QUICK)


def slow_trailer(url: str) -> object:
    """`trailer` with a least rate."""
    bounds.WINDOW = 0.3
    return trailer(url, least_rate=1)


def quick_search(url: str) -> object:
    """`trailer` with little time for a page."""
    page_search.SECONDS = 1
    return trailer(url)


def again(url: str) -> object:
    """`fetch` with a retry."""
    return http.fetch(url, Path("file"), timeout=1, retries=1, bounds=QUICK)
