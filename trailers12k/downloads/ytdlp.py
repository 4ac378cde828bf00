"""yt-dlp as this project uses it: bounded, without programs that pip did not install, never live.

Writes the files that yt-dlp downloads. Must not know formats, settings and the ledger.

Takes half a second to import, so import it where a client is made.
"""

import os
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from xml.parsers import expat  # nosec B407  # see _is_manifest

from requests.structures import CaseInsensitiveDict
from urllib3.util import Retry
from yt_dlp import YoutubeDL
from yt_dlp.downloader.hls import HlsFD
from yt_dlp.extractor.common import InfoExtractor
from yt_dlp.extractor.generic import GenericIE
from yt_dlp.networking._requests import (
    RequestsHTTPAdapter,
    RequestsResponseAdapter,
    RequestsRH,
    RequestsSession,
)
from yt_dlp.networking._urllib import UrllibRH
from yt_dlp.networking.common import Request
from yt_dlp.networking.exceptions import TransportError
from yt_dlp.postprocessor.ffmpeg import FFmpegPostProcessor
from yt_dlp.utils import Popen

from trailers12k.common.errors import Failure
from trailers12k.downloads import hls, manifests, page_search
from trailers12k.downloads.bounds import current
from trailers12k.downloads.sessions import BoundedAdapter, SafeRedirects
from trailers12k.video.confined import join, jumps

NO_PROGRAM = os.devnull + "/ffmpeg"
"""A path that cannot exist: yt-dlp would use the machine's ffmpeg, and its files would differ from
machine to machine."""

NATIVE = ("http", "https", "m3u8", "m3u8_native", "http_dash_segments", "ism")
"""Protocols of formats that yt-dlp downloads without another program."""

LARGEST_PLAYLIST = 10_000_000
"""Bytes of a playlist: a film of 10 hours in segments of a second has 5 MB."""

LARGEST_PAGE = 10_000_000
"""Bytes of a page, manifest, script or key after unpacking: YouTube's largest have 3 MB."""

MOST_TAGS = 300_000
"""Of a page or manifest: as elements they take 100 MB. Pages of 1 MB have 20,000."""

MANIFESTS = ("mpd", "smoothstreamingmedia", "rss", "smil", "playlist", "manifest")
"""Outermost elements of what yt-dlp reads as XML, in lower case."""

PROGRAM_SECONDS = 300
"""Seconds after which a program that yt-dlp starts, such as deno, is ended."""

LAUNCHER = f"""
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
signal.alarm({PROGRAM_SECONDS})
if os.getppid() == int(sys.argv[1]):
    os.execvp(sys.argv[2], sys.argv[2:])
"""
"""Runs a program that ends with its parent, whatever ends that. Not `preexec_fn`, which may block
where a process has threads."""

_start = Popen.__init__


def _start_bound(self: Any, args: Any, *more: Any, **options: Any) -> None:
    """`Popen.__init__` of yt-dlp, whose programs would outlive a job that is killed."""
    if isinstance(args, str) or options.get("shell"):
        raise OSError("no shell is used")
    _start(self, [sys.executable, "-ISc", LAUNCHER, str(os.getpid()), *args], *more, **options)


Popen.__init__ = _start_bound


def _joined_periods(
    self: Any, periods: Iterable[Any]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The formats of a DASH stream, each with the fragments of all periods in their order.

    yt-dlp joins only formats that are alike in all but their fragments, so that of a film with
    another bandwidth after an advertisement it downloads the one or the other. Here formats of the
    same id belong together, or else the most similar ones. Their key `dash_parts` has the fragments
    of each period.
    """
    first, *others = [period["formats"] for period in periods] or [[]]
    nothing: dict[str, Any] = {}
    for each in first if others else ():
        each["dash_parts"] = [_addressed_fragments(each)]
        for period in others:
            same = [other for other in period if _tracks(other) == _tracks(each)]
            nearest = min(same, key=lambda other: _difference(each, other), default=nothing)
            each["dash_parts"].append(_addressed_fragments(nearest))
    return first, {}


def _tracks(form: Mapping[str, Any]) -> tuple[bool, bool]:
    return form.get("vcodec") == "none", form.get("acodec") == "none"


def _difference(one: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[float, ...]:
    return (
        one.get("format_id") != other.get("format_id"),
        *(abs((one.get(name) or 0) - (other.get(name) or 0)) for name in ("height", "tbr")),
    )


def _addressed_fragments(form: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A format's fragments with whole URLs; none for a format that is one file."""
    base = form.get("fragment_base_url") or ""
    return [
        {"url": each.get("url") or urljoin(base, each["path"])}
        for each in form.get("fragments") or ()
    ]


_parse_periods = InfoExtractor._parse_mpd_periods


def _marked_periods(self: Any, manifest: Any, *more: Any, **options: Any) -> Iterator[Any]:
    """The periods of a DASH manifest. A manifest that a page names does not mark the video as live;
    its formats do."""
    manifests.check_dash(manifest)
    for period in _parse_periods(self, manifest, *more, **options):
        for each in period["formats"] if manifest.get("type") == "dynamic" else ():
            each["is_live"] = True
        yield period


_parse_smooth = InfoExtractor._parse_ism_formats_and_subtitles
_parse_hls = InfoExtractor._parse_m3u8_formats_and_subtitles


def _bounded_smooth(self: Any, manifest: Any, *more: Any, **options: Any) -> Any:
    """The formats of Smooth Streaming."""
    manifests.check_smooth(manifest)
    return _parse_smooth(self, manifest, *more, **options)


def _bounded_hls(self: Any, playlist: Any, *more: Any, **options: Any) -> Any:
    """The formats of an HLS stream."""
    manifests.check_hls(playlist)
    return _parse_hls(self, playlist, *more, **options)


InfoExtractor._parse_ism_formats_and_subtitles = _bounded_smooth
InfoExtractor._parse_m3u8_formats_and_subtitles = _bounded_hls
InfoExtractor._merge_mpd_periods = _joined_periods
InfoExtractor._parse_mpd_periods = _marked_periods


def _read(self: Any, amt: int | None = None) -> bytes:
    """Bytes of an answer, unpacked; all of them for None. yt-dlp would read them without end."""
    if amt is not None:
        block: bytes = self.fp.read(amt, decode_content=True)
        return block
    received = bytearray()
    while block := self.fp.read(1 << 20, decode_content=True):
        received += block
        if len(received) > LARGEST_PAGE:
            current().fail("too_large", f"a page of more than {LARGEST_PAGE / 1e6:g} MB")
    return bytes(received)


RequestsResponseAdapter._real_read = _read


_read_page = InfoExtractor._webpage_read_content


def _page_without_entities(self: Any, *args: Any, **options: Any) -> str:
    """A page or manifest. Raises `OutOfBounds` for one that needs much memory when parsed."""
    page: str = _read_page(self, *args, **options)
    if "<!ENTITY" in page:
        current().fail("bad_answer", "a page that defines entities, which may grow without end")
    if page.count("<") > MOST_TAGS:
        current().fail("too_large", f"a page of more than {MOST_TAGS} tags")
    return page


def _searchable_page(self: Any, *args: Any, **options: Any) -> str:
    """A page of an unknown site, in which yt-dlp's search for videos ends in time.

    Raises `OutOfBounds`. The trial makes no connection.
    """
    page = _page_without_entities(self, *args, **options)
    if "prefix" not in options or _is_manifest(page):
        return page
    # Otherwise another page would be read, and searched without a trial.
    page = page.replace("<title>DPG Media Privacy Gate</title>", "")
    # The search needs all extractors. Loading them takes seconds, once, and not of the trial.
    import yt_dlp.extractor._extractors  # noqa: F401

    def offline(*_: Any, **__: Any) -> Any:
        raise TransportError("offline")

    def search() -> None:
        self._downloader.urlopen = offline
        self._generic_title("", page, default="video")
        self._og_search_description(page, default=None)
        self._og_search_thumbnail(page, default=None)
        self._rta_search(page)
        list(self._extract_embeds("http://localhost/", page))

    if not page_search.ends_in_time(search, page_search.SECONDS):
        current().fail("bad_answer", f"a page whose search takes over {page_search.SECONDS} s")
    return page


def _is_manifest(page: str) -> bool:
    """Whether a page is a manifest or feed, which yt-dlp does not search.

    Makes no tree of elements, which a page could nest without end. Pages with entities or with many
    tags were refused before.
    """
    names: list[str] = []

    def note(name: str, _: object) -> None:
        if not names:
            names.append(name)

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = note
    try:
        parser.Parse(page, True)
    except (expat.ExpatError, ValueError):
        return False
    # With a document type, yt-dlp's parser is stricter than this one.
    return "<!DOCTYPE" not in page and names[0].rpartition(" ")[2].lower() in MANIFESTS


InfoExtractor._webpage_read_content = _page_without_entities
GenericIE._webpage_read_content = _searchable_page


class _Adapter(BoundedAdapter, RequestsHTTPAdapter):
    """yt-dlp's adapter of requests, bounded."""


class _Session(SafeRedirects, RequestsSession):
    """yt-dlp's session of requests, which follows only safe redirects."""


class BoundedRequestsRH(RequestsRH):
    """HTTP with bounds. Names of handlers end in RH."""

    def _create_instance(self, cookiejar: Any, legacy_ssl_support: Any = None) -> Any:
        session = _Session()
        session.headers = CaseInsensitiveDict()
        session.cookies = cookiejar
        session.trust_env = False  # yt-dlp reads the proxies
        adapter: Any = _Adapter(  # type: ignore[call-arg]
            ssl_context=self._make_sslcontext(legacy_ssl_support=legacy_ssl_support),
            source_address=self.source_address,
            max_retries=Retry(False),
        )
        for scheme in ("https://", "http://"):
            session.mount(scheme, adapter)
        return session


class DataRH(UrllibRH):
    """`data:` URLs, such as keys in playlists."""

    _SUPPORTED_URL_SCHEMES = ("data",)


class BoundedYoutubeDL(YoutubeDL):
    """A client for one thread.

    Raises `Failure` for live streams, before it requests a segment, and for what it cannot do
    without another program. Files are called FORMAT_ID.unknown_video: their content decides what
    they are, and yt-dlp refuses names that it does not know.
    """

    def __init__(self, options: Mapping[str, Any]):
        # Some of yt-dlp's classes look for ffmpeg without options. The variable is this thread's.
        FFmpegPostProcessor._ffmpeg_location.set(NO_PROGRAM)
        super().__init__(
            {
                **options,
                "ffmpeg_location": NO_PROGRAM,
                # Of pip, not of the machine.
                "js_runtimes": {"deno": {"path": sysconfig.get_path("scripts")}},
                "external_downloader": "native",
                "fixup": "never",
                # A skipped one would be a gap in the video.
                "skip_unavailable_fragments": False,
            }
        )

    def build_request_director(self, handlers: Any, preferences: Any = None) -> Any:
        """The clients that may send requests."""
        return super().build_request_director((BoundedRequestsRH, DataRH), preferences)

    def process_video_result(self, info_dict: Any, download: bool = True) -> Any:
        """Choose a format and download it."""
        generic = info_dict.get("extractor_key") == "Generic"
        # For playlists of unknown sites yt-dlp guesses; `dl` reads them.
        if not generic and _is_live(info_dict):
            raise Failure("live", "a live stream")
        if info_dict.get("live_status") == "post_live":
            raise Failure("not_yet", "a live stream that has just ended")
        if info_dict.get("direct"):
            # Servers send videos as audio/ogg or audio/mp4, too.
            for each in (info_dict, *(info_dict.get("formats") or ())):
                if each.get("vcodec") == "none":
                    del each["vcodec"]
        return super().process_video_result(info_dict, download)

    def process_info(self, info_dict: Any) -> Any:
        """Download a chosen format."""
        info_dict["ext"] = "unknown_video"
        return super().process_info(info_dict)

    def dl(self, name: str, info: Any, subtitle: bool = False, test: bool = False) -> Any:
        """Download one format's file."""
        protocol = info.get("protocol") or ""
        if protocol not in NATIVE:
            raise Failure("no_format", f"the protocol {protocol} is not supported")
        if protocol.startswith("m3u8"):
            return self._join_parts(name, [info | each for each in self._hls_parts(info)])
        if _is_live(info):
            raise Failure("live", "a live stream")
        parts = info.get("dash_parts") or ()
        if len(parts) > 1:
            if not all(parts):
                raise Failure("discontinuity", "not all parts of the stream are lists of segments")
            return self._join_parts(name, [info | {"fragments": part} for part in parts])
        return super().dl(name, info, subtitle, test)

    def _hls_parts(self, info: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What differs in the information about each part of a stream. Raises `Failure`."""
        request = Request(info["url"], headers=info.get("http_headers") or {})
        with self.urlopen(request) as answer:
            data = answer.read(LARGEST_PLAYLIST + 1)
            url = answer.url
        if len(data) > LARGEST_PLAYLIST:
            raise Failure("too_large", f"a playlist of more than {LARGEST_PLAYLIST / 1e6:g} MB")
        text = data.decode("utf-8", "replace")
        if hls.is_live(text):
            raise Failure("live", "a live stream: its playlist has no end")
        if not HlsFD.can_download(text, {}):
            raise Failure("drm", "the stream is encrypted in a way that only players decrypt")
        parts = hls.parts(text)
        if not parts:
            raise Failure("empty", "the playlist has no segments")
        common = {"url": url, "protocol": "m3u8_native", "is_live": False, "format_index": None}
        return [common | {"hls_media_playlist_data": part} for part in parts]

    def _join_parts(self, name: str, parts: list[dict[str, Any]]) -> tuple[bool, bool]:
        """Download the parts of a stream, each with its own clock, and join them.

        Raises `Failure`.
        """
        files = [Path(f"{name}.{number}") for number in range(len(parts))]
        for file, info in zip(files, parts, strict=True):
            done, _ = super().dl(str(file), info)
            if not done:
                return False, True
        if len(files) == 1 and not jumps(files[0]):
            files[0].replace(name)
            return True, True
        # A file of this name counts as downloaded, so an interrupted join must not leave one.
        joined = Path(f"{name}.joined")
        join(files, joined)
        joined.replace(name)
        for file in files:
            file.unlink()
        return True, True


def _is_live(info: Mapping[str, Any]) -> bool:
    return bool(info.get("is_live")) or info.get("live_status") == "is_live"
