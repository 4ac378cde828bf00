"""A movie's identity: its mid, its genres, its shard.

Reads and writes nothing. Must not know where the data of a movie comes from.
"""

import hashlib
import re
from dataclasses import dataclass

GENRES = (
    "action",
    "adventure",
    "comedy",
    "crime",
    "drama",
    "fantasy",
    "horror",
    "romance",
    "sci-fi",
    "thriller",
)
"""The ten genres of Trailers12k, in the order of its mtgc.csv."""

MID = re.compile(r"tt\d{7,8}", re.ASCII)


@dataclass(frozen=True)
class Movie:
    """One row of the movie table. Empty strings where a field is not known."""

    mid: str
    title: str
    year: str
    genres: tuple[str, ...]
    youtube_id: str = ""
    trailer_url: str = ""
    poster_url: str = ""

    @property
    def trailer_address(self) -> str:
        """Where the trailer is: its URL or path, else its YouTube page, else an empty string."""
        if self.trailer_url or not self.youtube_id:
            return self.trailer_url
        return f"https://www.youtube.com/watch?v={self.youtube_id}"


def is_mid(text: str) -> bool:
    """Whether `text` is a movie id: `tt` and 7 or 8 digits."""
    return MID.fullmatch(text) is not None


def shard_of(mid: str, shards: int) -> str:
    """The shard of a movie, "000" to "shards - 1": a stable hash of its mid, modulo `shards`.

    It depends on nothing but the mid, so adding a movie moves no other.
    """
    digest = hashlib.sha256(mid.encode()).digest()
    return f"{int.from_bytes(digest[:8], 'big') % shards:03d}"
