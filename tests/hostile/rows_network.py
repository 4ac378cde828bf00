"""Hostile servers, bodies, pages and playlists, met by all clients."""

import zlib
from gzip import compress
from itertools import chain

from tests.hostile import servers
from tests.hostile.network import (
    DASH,
    HLS,
    HTML,
    again,
    dash,
    dripping,
    fetch,
    hls,
    hub_hash,
    laughs,
    never_ending,
    packed,
    poster,
    proxy,
    quick_search,
    read,
    row,
    server,
    slow_trailer,
    through_proxy,
    trailer,
)
from tests.hostile.servers import OK, page, redirect

REPEATED = (
    '<SegmentTemplate media="$Time$.mp4"><SegmentTimeline><S d="1" r="999999999"/>'
    "</SegmentTimeline></SegmentTemplate>"
)
BRIEF = '<SegmentTemplate media="$Number$.mp4" timescale="1000000000" duration="1"/>'
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

RATE = "`downloads.least_rate`: 1 kB a second, over 30 s of waiting"
WAIT = "`downloads.timeout`: 20 s without data"
HEADERS = "300 kB of headers"
SIZE = "`max_megabytes` of trailers and posters, 1 MB of TMDB"
FILE = "4 GB of a source, 20 GB of weights, 100 GB of a store, and the free disk"
PAGE = "10 MB of a page or playlist"
SEGMENTS = "500,000 segments of a manifest"
UNREAD = "bodies of redirects and errors are not read"

TIMES = [
    row("server", "a header drips", dripping(OK * 50), read, "network: .* bytes a second", RATE),
    row(
        "server",
        "a header drips to yt-dlp",
        dripping(OK * 50),
        slow_trailer,
        "network: .* bytes a second",
        RATE,
    ),
    row(
        "server",
        "a file drips",
        dripping(OK + b"\r\n" + bytes(5000)),
        fetch,
        ".*network: .* bytes a second",
        RATE,
    ),
    row("server", "a header drips that has a hash", dripping(OK * 50), hub_hash, "", RATE),
    row(
        "server",
        "headers without end",
        never_ending(OK, b"A: %s\r\n" % (b"a" * 60_000)),
        read,
        "bad_answer: more than 300 kB of headers",
        HEADERS,
    ),
    row(
        "server",
        "a header of one endless line",
        never_ending(OK, b"a"),
        read,
        "network: .*line",
        "64 kB of the line of a header",
    ),
    row(
        "server",
        "interim answers without end",
        never_ending(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        fetch,
        ".*bad_answer: more than 300 kB of headers",
        HEADERS,
    ),
    row(
        "server",
        "a TLS handshake without answer",
        lambda folder: servers.silent() + "/a",
        read,
        "network: .*timed out",
        WAIT,
    ),
    row(
        "proxy",
        "its answer drips",
        proxy("https://trailers.test/a", lambda: servers.drip(b"HTTP/1.1 200 OK\r\n" * 50)),
        through_proxy(read),
        "network: .* bytes a second",
        RATE,
    ),
    row(
        "redirect",
        "to itself",
        server(lambda: [redirect("/a")]),
        read,
        "unavailable: endless redirects",
        "30 redirects",
    ),
    row(
        "redirect",
        "to itself, each with 1 GB of zeros",
        server(lambda: [redirect("/a", "Content-Encoding: gzip"), servers.bomb(1000)]),
        trailer,
        "unavailable: .*",
        UNREAD,
    ),
    row(
        "redirect",
        "a body without end, to an invalid URL",
        never_ending(redirect("http://["), b"a"),
        read,
        "bad_answer: a redirect to an invalid URL",
        UNREAD,
    ),
]

SIZES = [
    row(
        "body",
        "without length and end",
        never_ending(OK + b"\r\n", b"a"),
        poster,
        "too_large: more than 1 MB",
        SIZE,
    ),
    row(
        "body",
        "a file without length and end",
        never_ending(OK + b"\r\n", b"a"),
        fetch,
        ".*too_large: more than 1 MB",
        FILE,
    ),
    row(
        "body",
        "of an error, without end",
        never_ending(b"HTTP/1.1 503 Busy\r\n\r\n", b"a"),
        again,
        ".*server_error",
        UNREAD,
    ),
    row(
        "body",
        "chunks of one byte without end",
        never_ending(CHUNKED, b"1\r\na\r\n"),
        read,
        "too_large: more than 0.1 MB",
        SIZE,
    ),
    row(
        "body",
        "the size of a chunk without end",
        never_ending(CHUNKED, b"0"),
        read,
        "network",
        "64 kB of the line of a chunk",
    ),
    row(
        "body",
        "a length of 5000 digits",
        server(lambda: [OK + b"Content-Length: %s\r\n\r\n" % (b"9" * 5000), b"a"]),
        fetch,
        "",
        FILE,
    ),
    row(
        "body",
        "gzip of 4 GB",
        packed("image/png", "gzip", lambda: servers.bomb(4000)),
        poster,
        "too_large: more than 1 MB",
        SIZE,
    ),
    row(
        "body",
        "gzip of gzip of 4 GB",
        packed("image/png", "gzip, gzip", lambda: compress(servers.bomb(4000))),
        poster,
        "too_large: more than 1 MB",
        SIZE,
    ),
    row(
        "body",
        "deflate of 100 MB",
        packed("a/b", "deflate", lambda: zlib.compress(bytes(10**8))),
        read,
        "too_large: more than 0.1 MB",
        SIZE,
    ),
    row(
        "page",
        "gzip of 4 GB",
        packed(HTML, "gzip", lambda: compress(b"<html>") + servers.bomb(4000)),
        trailer,
        "too_large: a page",
        PAGE,
    ),
    row(
        "page",
        "without end",
        never_ending(OK + b"Content-Type: text/html\r\n\r\n", b"<a>"),
        trailer,
        "too_large: a page",
        PAGE,
    ),
    row(
        "page",
        "10 MB of tags",
        server(lambda: [page(b"<a><video>" * 990_000)]),
        trailer,
        "too_large: a page of more than 300000 tags",
        "300,000 tags of a page",
    ),
    row(
        "page",
        "a search that takes hours",
        server(lambda: [page(b"<a><video>" * 140_000)]),
        quick_search,
        "bad_answer: a page whose search",
        "10 s of CPU time for a page",
        200,
    ),
    row(
        "playlist",
        "without end",
        server(
            lambda: chain(
                [OK + b"Content-Type: %s\r\n\r\n#EXTM3U\n#EXT-X-TARGETDURATION:1\n" % HLS.encode()],
                servers.endless(b"#EXTINF:1,\na.ts\n"),
            ),
            "a.m3u8",
        ),
        trailer,
        "too_large: a p",
        PAGE,
    ),
    row(
        "playlist",
        "a million segments",
        server(lambda: [page(hls("a\n" * 10**6), HLS)], "a.m3u8"),
        trailer,
        "too_large: more than 100000 segments",
        "100,000 segments, 1000 parts",
        200,
    ),
    row(
        "playlist",
        "a header of 1 MB in each of 10,000 parts",
        server(
            lambda: [
                page(
                    hls(f'#EXT-X-MAP:URI="{"a" * 10**6}"\n' + "#EXT-X-DISCONTINUITY\na\n" * 10**4),
                    HLS,
                )
            ],
            "a.m3u8",
        ),
        trailer,
        "too_large: a playlist with endless lines",
        "100 kB of a line",
        200,
    ),
    row(
        "manifest",
        "a segment repeated a billion times",
        server(lambda: [page(dash(REPEATED), DASH)], "a.mpd"),
        trailer,
        "too_large: a manifest",
        SEGMENTS,
    ),
    row(
        "manifest",
        "segments of a nanosecond",
        server(lambda: [page(dash(BRIEF), DASH)], "a.mpd"),
        trailer,
        "too_large: a manifest",
        SEGMENTS,
    ),
    row(
        "manifest",
        "entities that grow to 3 GB",
        server(lambda: [page(laughs(), DASH)], "a.mpd"),
        trailer,
        "bad_answer: a page that defines entities",
        "no entities",
    ),
]

ROWS = [*TIMES, *SIZES]
