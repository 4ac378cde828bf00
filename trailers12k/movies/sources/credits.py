"""The notices that must be shown when a source of movies is used.

Reads and writes nothing. Must not know how a source is read.
"""

from collections.abc import Iterable

CREDITS = {
    "trailers12k": "Movies, genres and trailers: Trailers12k (Montalvo-Lezama et al., 2023), "
    "CC BY-NC-SA 4.0.",
    "published": "Features, labels and splits: Trailers12k (Montalvo-Lezama et al., 2023), "
    "CC BY-NC-SA 4.0.",
    "imdb": "Information courtesy of IMDb (https://www.imdb.com). Used with permission.",
    "tmdb": "This product uses the TMDB API but is not endorsed or certified by TMDB.",
}
"""Source -> the notice that must be shown when it is used."""


def credits_of(sources: Iterable[str]) -> list[str]:
    """The notices of these sources, each once."""
    return [CREDITS[source] for source in dict.fromkeys(sources) if source in CREDITS]
