"""A movie's identity: its mid, genres, addresses and shard.

Reads and writes nothing. Must not know where the data of a movie comes from.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from trailers12k.common.bounded_files import quoted
from trailers12k.common.errors import UserError
from trailers12k.common.local_files import WEB, local_path, scheme_of
from trailers12k.common.text import is_printable
from trailers12k.common.youtube import PAGE, is_youtube, video_id

IMDB_GENRES = {
    "Action": "action",
    "Adventure": "adventure",
    "Comedy": "comedy",
    "Crime": "crime",
    "Drama": "drama",
    "Fantasy": "fantasy",
    "Horror": "horror",
    "Romance": "romance",
    "Sci-Fi": "sci-fi",
    "Thriller": "thriller",
} | dict.fromkeys(
    [
        *("Adult", "Animation", "Biography", "Documentary", "Family", "Film-Noir", "Game-Show"),
        *("History", "Music", "Musical", "Mystery", "News", "Reality-TV", "Short", "Sport"),
        *("Talk-Show", "War", "Western"),
    ],
    "",
)
"""IMDb's genre -> the genre of Trailers12k; empty for genres that Trailers12k does not label."""

MID = re.compile(r"tt\d{7,8}", re.ASCII)
PLAIN_URL = re.compile(r"https?://[A-Za-z0-9.-]+/[!-~]*")
"""Matches nearly all addresses. Parsing each would take a tenth of the time of a dry run."""
WEB_ADDRESS = re.compile(r"https?://[^/?#\s]", re.IGNORECASE)
SCHEMES = ("http", "https", "file")


@dataclass(frozen=True, slots=True)
class Movie:
    """One row of the movie table. Fields without a value are empty strings."""

    mid: str
    title: str
    year: str
    genres: tuple[str, ...]
    youtube_id: str = ""
    trailer_url: str = ""
    poster_url: str = ""
    other_trailers: tuple[str, ...] = ()
    """YouTube ids or URLs to try, in this order, when the trailer is permanently unavailable."""

    @property
    def trailer_addresses(self) -> tuple[str, ...]:
        """The URL or path of the trailer, else its YouTube page; then the other trailers."""
        first = self.trailer_url or self.youtube_id
        return tuple(address_of(text) for text in (first, *self.other_trailers) if text)


def is_mid(text: str) -> bool:
    """Whether `text` is a movie id: `tt` and 7 or 8 digits."""
    return MID.fullmatch(text) is not None


def is_web_address(text: str) -> bool:
    """Whether `text` is a URL of at most 2,000 characters, http or https, without a password.

    A page of YouTube is one only if it is a video's.
    """
    try:
        check_trailer("", text, "", local_files=False)
    except UserError:
        return False
    return WEB_ADDRESS.match(text) is not None and len(text) <= 2000


def address_of(trailer: str) -> str:
    """The YouTube page of an id, or of an address of that video; other URLs and paths unchanged.

    The path of a local file whose name looks like an id needs a folder: `./abcdefghijk`.
    """
    video = video_id(trailer) if trailer else ""
    return f"{PAGE}{video}" if video else trailer


def named_trailer(text: str) -> dict[str, str]:
    """A trailer by what people write: the `id` of a YouTube video, else the `url`."""
    video = video_id(text)
    return {"id": video} if video else {"url": text}


def distinct_trailers(trailers: Iterable[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    """The trailers that have an address, each once, with the `id` in place of a YouTube `url`.

    Of several with the same address the first one counts, with further keys of the others.
    """
    trailers = tuple(trailers)
    if len(trailers) == 1 and trailers[0].get("id") and not trailers[0].get("url"):
        return trailers
    distinct: dict[str, Mapping[str, Any]] = {}
    for trailer in trailers:
        named = trailer.get("url") or trailer.get("id")
        if not named:
            continue
        video = video_id(trailer.get("url") or "")
        if video and trailer.get("id") in (None, "", video):
            rest = {name: value for name, value in trailer.items() if name not in ("id", "url")}
            trailer = {"id": video, **rest}
        earlier = distinct.get(address_of(named), {})
        more = {name: value for name, value in trailer.items() if name not in earlier}
        distinct[address_of(named)] = {**earlier, **more}
    return tuple(distinct.values())


def addresses_of(trailer: Mapping[str, Any]) -> set[str]:
    """The addresses of a trailer that has an `id`, a `url`, or both."""
    return {address_of(trailer[name]) for name in ("id", "url") if trailer.get(name)}


def check_trailer(name: str, address: object, where: str, local_files: bool) -> None:
    """`check_address` for a trailer: a page of YouTube must be a video's. Raises `UserError`."""
    if address == "":
        return
    if not (isinstance(address, str) and is_youtube(address)):
        check_address(name, address, where, local_files)
    elif not video_id(address):
        raise UserError(
            f"{where}: {name}: {quoted(address)} names no video of YouTube; allowed: the page "
            "of one video, or its id (no playlist, channel or search)"
        )


def check_address(name: str, address: object, where: str, local_files: bool) -> None:
    """Refuse invalid URLs and paths, URLs with a password, and local files unless allowed.

    name: of the field. where: the file and the row, for the message.
    Raises `UserError`.
    """
    if address == "" or (isinstance(address, str) and PLAIN_URL.fullmatch(address)):
        return
    allowed = f"a URL ({', '.join(SCHEMES)}) without a password, the path of a file, or empty"
    text = address if isinstance(address, str) and is_printable(address) else ""
    try:
        host = urlsplit(text).netloc
    except ValueError:  # brackets without an IP address
        text = host = ""
    is_local = bool(text) and local_path(text) is not None
    if not is_local and scheme_of(text) not in WEB:
        raise UserError(f"{where}: {name}: {quoted(address)} is not allowed; allowed: {allowed}")
    if "@" in host:
        raise UserError(f"{where}: {name}: a URL with a password; allowed: {allowed}")
    if is_local and not local_files:
        raise UserError(
            f"{where}: {name}: {quoted(address)} is a file of this machine; allowed: a URL, or "
            "local files too with local_files: true below downloads: in the configuration"
        )


def shard_of(mid: str, shards: int) -> str:
    """The shard of a movie, "000" to "shards - 1": a stable hash of its mid, modulo `shards`.

    It depends only on the mid, so adding a movie moves no other.
    """
    digest = hashlib.sha256(mid.encode()).digest()
    return f"{int.from_bytes(digest[:8], 'big') % shards:03d}"
