"""Numbers, names and addresses as the sentences of a publication say them.

Reads and writes nothing. Must not know pages.
"""

from collections.abc import Sequence

from trailers12k.publish.facts import Facts, StoreFacts
from trailers12k.publish.texts.document import (
    Code,
    Inline,
    Line,
    Link,
    safe_address,
)

NOT_STATED = "not stated"
NBSP = "\u00a0"
"""Keeps a number and its unit on one line."""
COLLAGE = "collage.jpg"
INPUT_WORDS = {
    "frames": "mean over the frames of a clip",
    "clips": "one vector per clip",
    "posters": "one vector per poster",
}
"""Input of a store -> what a row of it is."""
SOURCES = {
    "sample": "the built-in sample of the workflow",
    "trailers12k": "Trailers12k",
    "imdb": "the files of IMDb",
    "tmdb": "TMDB",
    "search": "a search on YouTube",
}
"""Source of the configuration -> its name; others are tables."""

DECISIONS = {
    "accept": "accepted as they are",
    "reject": "rejected",
    "wrong_trailer": "had the trailer of something else, which was replaced or removed",
    "unsure": "left open",
}
"""Kind of decision -> what reviewers did with the movies."""


def count(number: int) -> str:
    """A number with separators of thousands."""
    return f"{number:,}"


def counted(number: int, noun: str) -> str:
    """A number with its noun."""
    return f"{number:,} {noun if number == 1 else noun + 's'}"


def size(number: int) -> str:
    """Bytes in the unit that suits them."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number >= factor:
            value = number / factor
            digits = f"{value:.1f}" if value < 9.95 else f"{value:,.0f}"
            return f"{digits}{NBSP}{unit}"
    return f"{number}{NBSP}bytes"


def length(seconds: float) -> tuple[str, str]:
    """A length of time: the figure, and its unit."""
    if seconds < 600:
        return f"{seconds:,.0f}", "seconds"
    if seconds < 36_000:
        return f"{seconds / 60:,.0f}", "minutes"
    return f"{seconds / 3600:,.0f}", "hours"


def is_untrained(store: StoreFacts) -> bool:
    """Whether the weights of a store are random."""
    return store.attributes.get("pretrained") is False


def codes(names: Sequence[str]) -> list[Inline]:
    """Names in a row."""
    parts: list[Inline] = []
    for name in names:
        parts += [*(", " for _ in parts[:1]), Code(name)]
    return parts


def sources(facts: Facts) -> str:
    """The sources of movies, in a row."""
    names = [SOURCES.get(name, f"the table {name}") for name in facts.sources]
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def time_frame(facts: Facts) -> str:
    """When the dataset was collected; empty where nobody knows."""
    if not (facts.began and facts.ended):
        return ""
    if facts.began == facts.ended:
        return f"on {facts.began}"
    return f"from {facts.began} to {facts.ended}"


def percent(part: float) -> str:
    """A share in % without its unit."""
    return f"{100 * part:.1f}"


def linked(text: str) -> Line:
    """A text that is an address as a link to it; other texts as they are."""
    address = safe_address(text)
    return [Link(text.removeprefix("mailto:"), address)] if address else text
