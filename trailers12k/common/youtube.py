"""Recognizes the video of a YouTube address in every form that people paste.

Reads and writes nothing. Must not know how an address is used.
"""

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

PAGE = "https://www.youtube.com/watch?v="
"""The one form in which this project writes a video's address: with the id at its end."""

DOMAINS = (
    "youtube.com",
    "youtu.be",
    "youtube-nocookie.com",
    "youtube.googleapis.com",
    "youtubekids.com",
    "youtubeeducation.com",
    "y2u.be",
)
"""The site's domains, each with its subdomains."""
SHORT_DOMAINS = ("youtu.be", "y2u.be")
"""Domains whose whole path is the video's id."""
MEDIA_DOMAINS = ("googlevideo.com",)
"""Where the site keeps the files of videos."""
IMAGE_DOMAINS = ("ytimg.com",)
"""Where the site keeps the thumbnails of videos, in a folder with the video's id."""
REDIRECTS = re.compile(r"(?:www\.)?google\.[a-z]{2,3}(?:\.[a-z]{2})?", re.IGNORECASE)
"""Hosts of another site whose page /url leads to the address in a parameter."""

INVISIBLE = (
    r"\x00-\x20\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2000-\u200f"
    r"\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff"
)
"""Characters without a picture, which copying adds to a text."""
QUOTES = "<>\"'`\u2018-\u201f\u00ab\u00bb\u2039\u203a"
"""What people put around an address."""
INVISIBLE_ENDS = re.compile(f"^[{INVISIBLE}]+|[{INVISIBLE}]+$")
QUOTED_ENDS = re.compile(f"^[{INVISIBLE}{QUOTES}]+|[{INVISIBLE}{QUOTES}]+$")

YOUTUBE_ID = re.compile(r"[A-Za-z0-9_-]{11}", re.ASCII)
ID_AT_START = re.compile(r"[A-Za-z0-9_-]{11}(?![A-Za-z0-9_-])", re.ASCII)
"""What follows an id may be a parameter: `ID&feature=share` and `ID?t=5` are frequent."""
PAGE_DOMAINS = DOMAINS + IMAGE_DOMAINS
WITHOUT_SCHEME = re.compile(
    rf"(?://)?(?:[a-z0-9-]+\.)*(?:{'|'.join(map(re.escape, PAGE_DOMAINS))})(?::\d+)?[/?#]",
    re.IGNORECASE,
)
ID_FOLLOWS = ("v", "vi", "vi_webp", "an_webp", "e", "embed", "shorts", "live", "watch", "video")
"""Names of folders in which a video's page has its id."""
SITE_WORD = re.compile("youtu|y2u|ytimg", re.IGNORECASE)
"""Every address of the site has it; it saves the parsing of all others."""
NO_ID = ("videoseries", "live_stream")
"""Words of eleven letters that the site has in place of an id: `/embed/videoseries?list=...`."""
LINKS = ("u", "continue", "next", "url", "q")
"""Parameters that hold another address of the site, on pages that lead to it."""
DEPTH = 3
"""Addresses within addresses that are followed."""


def is_youtube_id(text: str) -> bool:
    """Whether `text` has the form of a YouTube id: 11 letters, digits, `-` or `_`."""
    return YOUTUBE_ID.fullmatch(text) is not None and text not in NO_ID


def site_domain(host: str) -> str:
    """`youtube.com` for every host of the site, those of its files too; else the host itself."""
    host = host.lower().rstrip(".")
    return DOMAINS[0] if _is_in(host, DOMAINS + MEDIA_DOMAINS) else host


def is_youtube(address: str) -> bool:
    """Whether an address is one of YouTube's pages, with or without `https://`, or leads to one."""
    return _parts(address) is not None or _id_of(address, DEPTH) != ""


def video_id(text: str) -> str:
    """The id of the YouTube video that an id or an address names; empty where it names none.

    Understands every host of the site, `http://`, `https://` or neither, watch pages with their
    parameters in any order, short links, embedded players, shorts, live videos, thumbnails, and
    pages that lead to a video. Quotes around an address and invisible characters are ignored. Of a
    video in a playlist, the playlist is ignored. Addresses with a password name none.
    """
    if is_youtube_id(text):  # most texts of a large table
        return text
    bare = INVISIBLE_ENDS.sub("", text)
    return bare if is_youtube_id(bare) else _id_of(text, DEPTH)


def _id_of(address: str, depth: int) -> str:
    parts = _parts(address, redirects=True)
    if parts is None or depth == 0:
        return ""
    host, path, query, fragment = parts
    # Old pages hold their parameters after a # or #!.
    fragment = fragment.removeprefix("!")
    pairs = [*_parameters(query), *_parameters(fragment)]
    links = [value for name, value in pairs if name in LINKS]
    links += [fragment] if fragment.startswith("/") else []
    if REDIRECTS.fullmatch(host) and not any(map(_parts, links)):
        return ""
    folders = [folder for folder in unquote(path).split("/") if folder]
    if _is_in(host, SHORT_DOMAINS) and folders:
        folders = ["v", *folders] if len(folders) == 1 else folders
    if len(folders) > 1 and folders[0].lower() in ID_FOLLOWS and (found := _start(folders[1])):
        return found
    for value in (value for name, value in pairs if name in ("v", "vi")):
        if found := _start(value):
            return found
    for link in links:
        if found := _id_of(urljoin(PAGE, link), depth - 1):
            return found
    return ""


def _parts(address: str, redirects: bool = False) -> tuple[str, str, str, str] | None:
    """Host, path, query and fragment of a page of the site; None for other addresses.

    redirects: whether a page of `REDIRECTS` counts too.
    """
    if not SITE_WORD.search(address):
        return None
    address = QUOTED_ENDS.sub("", address)
    if WITHOUT_SCHEME.match(address):
        address = f"https://{address.removeprefix('//')}"
    try:
        parts = urlsplit(address)
    except ValueError:  # brackets without an IP address
        return None
    host = (parts.hostname or "").rstrip(".")
    is_page = _is_in(host, PAGE_DOMAINS) or (
        redirects and parts.path == "/url" and REDIRECTS.fullmatch(host) is not None
    )
    if parts.scheme not in ("http", "https") or "@" in parts.netloc or not is_page:
        return None
    return host, parts.path, parts.query, parts.fragment


def _is_in(host: str, domains: tuple[str, ...]) -> bool:
    return f".{host}".endswith(tuple(f".{domain}" for domain in domains))


def _start(text: str) -> str:
    """The id with which a text begins; empty without one."""
    match = ID_AT_START.match(text)
    return match[0] if match and match[0] not in NO_ID else ""


def _parameters(query: str) -> Iterator[tuple[str, str]]:
    # `?feature=share?v=ID` and `&amp;v=ID` are what copying and HTML leave of a URL.
    for name, value in parse_qsl(query.replace("&amp;", "&").replace("?", "&")):
        yield name, value.strip()
