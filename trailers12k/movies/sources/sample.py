"""The built-in sample: invented movies, with which the whole pipeline runs offline.

Reads and writes nothing; `movies` is fast, since Snakemake calls it while parsing. Must not know
how trailers and posters are rendered.
"""

import random
from collections import Counter
from collections.abc import Mapping
from typing import Any

from trailers12k.common.movie import Movie
from trailers12k.common.vocabulary import GENRES
from trailers12k.movies.sources.records import Record

FIRST_ID = 9_000_001
"""The first invented id. IMDb may assign it to another title, which the sample never queries."""
BROKEN = {
    "missing_trailer": "tt9999901",
    "truncated_trailer": "tt9999902",
    "text_trailer": "tt9999903",
    "missing_poster": "tt9999904",
}
"""Fault -> the movie that has it. Every sample contains these, to show how failures are handled."""

SHORT = "tt9000015"
"""The movie whose trailer has fewer clips than the snippet of config.yaml. With the seed
of config.yaml no split trains on it, since the reference's trainer fails on such a trailer."""

NO_SOUND = {
    "tt9000005": "silent",
    "tt9000007": "no_track",
    "tt9000013": "damaged",
    "tt9000032": "silent",
}
"""The movies without sound, and why: they cannot be heard, which is no failure."""

PLAIN = "plain"
"""The name of a look and of a sound that say nothing of a genre."""
PLAIN_EVERY, PLAIN_LOOK, PLAIN_SOUND = 10, 7, 8
"""Of every ten movies one, the eighth, has the plain look in all shots: only its sound tells its
genres. Another, the ninth, has the plain sound."""

# Counted in the labels of Trailers12k (mtgc.csv of Zenodo 5716410, Montalvo-Lezama et al., 2023):
# the share of its 12,000 movies that have a genre, and the 64 most frequent of its 442 genre sets.
SHARES = {
    "action": 0.260,
    "adventure": 0.163,
    "comedy": 0.349,
    "crime": 0.207,
    "drama": 0.497,
    "fantasy": 0.131,
    "horror": 0.214,
    "romance": 0.183,
    "sci-fi": 0.128,
    "thriller": 0.371,
}
GENRE_SETS = """
comedy|drama 615, horror|thriller 606, comedy 597, comedy|drama|romance 496,
crime|drama|thriller 481, drama 472, drama|romance 434, horror 387, comedy|romance 359,
drama|thriller 356, crime|drama 284, action|crime|drama|thriller 235, action|crime|thriller 219,
action|thriller 194, drama|horror|thriller 189, action|drama 186, thriller 143,
adventure|comedy 140, comedy|horror 131, comedy|crime 123, action|drama|thriller 122,
crime|thriller 122, adventure|comedy|fantasy 118, adventure|drama 106, horror|sci-fi|thriller 102,
comedy|fantasy 95, action|adventure|fantasy 92, action|crime|drama 91, action|adventure|sci-fi 85,
adventure 85, comedy|crime|drama 83, drama|sci-fi|thriller 83, adventure|fantasy 80,
action|sci-fi|thriller 79, drama|fantasy 77, action|comedy 77, action 76,
drama|romance|thriller 69, drama|horror 66, action|comedy|crime 64, action|adventure|drama 61,
drama|sci-fi 58, action|sci-fi 58, action|adventure 58, adventure|comedy|drama 55,
sci-fi|thriller 52, comedy|fantasy|romance 51, crime|drama|horror|thriller 50, horror|sci-fi 49,
crime|horror|thriller 49, crime|drama|romance 49, drama|fantasy|romance 48,
action|adventure|sci-fi|thriller 48, action|adventure|comedy 47, comedy|drama|fantasy 47,
crime|drama|romance|thriller 46, action|adventure|thriller 45, action|horror|thriller 42,
fantasy|horror|thriller 42, action|adventure|fantasy|sci-fi 41, comedy|drama|fantasy|romance 41,
fantasy 39, action|horror|sci-fi|thriller 37, action|comedy|crime|thriller 36
"""

_ADJECTIVES = (
    "Amber Borrowed Broken Crooked Distant Electric Empty Endless Forgotten Golden Hidden Hollow "
    "Last Little Lonely Lost Midnight Quiet Reckless Scarlet Second Silent Stolen Velvet"
)
_NOUNS = {
    "action": "Bullet Convoy Detonator Pursuit Strike Vendetta",
    "adventure": "Caravan Compass Expedition Island River Summit",
    "comedy": "Cousins Holiday Landlord Reunion Waiter Wedding",
    "crime": "Alibi Burglar Ledger Precinct Ransom Witness",
    "drama": "Daughter Harvest House Letters Silence Winter",
    "fantasy": "Crown Dragon Lantern Oracle Spell Unicorn",
    "horror": "Attic Cellar Doll Hunger Lullaby Scream",
    "romance": "Embrace Heart Kiss Promise Serenade Waltz",
    "sci-fi": "Android Colony Galaxy Orbit Signal Transmission",
    "thriller": "Corridor Hostage Labyrinth Paranoia Stranger Vertigo",
}


def plain_parts(mid: str) -> tuple[bool, bool]:
    """Whether a movie's look says nothing of its genres, and whether its sound does."""
    turn = (int(mid[2:]) - FIRST_ID) % PLAIN_EVERY
    intact = mid not in BROKEN.values()
    return intact and turn == PLAIN_LOOK, intact and turn == PLAIN_SOUND


def _genre_sets() -> tuple[list[tuple[str, ...]], list[int]]:
    """The genre sets, and the number of movies that have each."""
    rows = [entry.rsplit(" ", 1) for entry in " ".join(GENRE_SETS.split()).split(", ")]
    return [tuple(genres.split("|")) for genres, _ in rows], [int(count) for _, count in rows]


def random_for(*key: object) -> random.Random:
    """A random generator that depends only on the key."""
    return random.Random(" ".join(map(str, key)))  # nosec B311  # no secret


def read(
    settings: Mapping[str, Any], earlier: Mapping[str, Record]
) -> tuple[list[Record], list[dict[str, Any]]]:
    """`movies` as records, and no ledger. settings: `movies` (their number) and `seed`."""
    records = [
        Record(
            movie.mid,
            movie.title,
            movie.year,
            movie.genres,
            ({"url": movie.trailer_url},),
            movie.poster_url,
            where=f"the sample, {movie.mid}",
        )
        for movie in movies(settings["movies"], settings["seed"])
    ]
    return records, []


def movies(count: int, seed: int, folder: str = "build/sample") -> list[Movie]:
    """`count` intact movies and the four of `BROKEN`, sorted by mid.

    A larger count adds movies and changes none. The addresses are paths below `folder`.
    Raises `ValueError` for a count above 899,999.
    """
    if not 0 <= count < 900_000:
        raise ValueError(f"the sample has 0 to 899,999 movies, not {count}: change sample.movies")
    sets, weights = _genre_sets()
    titles: Counter[str] = Counter()
    invented = []
    # The broken ones first, so that their titles do not depend on the count.
    for mid in BROKEN.values():
        rng = random_for(seed, mid)
        genres = rng.choices(sets, weights)[0]
        invented.append(_movie(mid, genres, rng, titles, folder))
    have = dict.fromkeys(GENRES, 0)
    for i in range(count):
        rng = random_for(seed, mid := f"tt{FIRST_ID + i}")
        # Of eight sets drawn by their frequency, the one that keeps the shares of genres closest to
        # the published ones: a single draw would leave some genre out of 40 movies.
        drawn = rng.choices(sets, weights, k=8)
        genres = min(drawn, key=lambda genres: _imbalance(have, genres, i + 1))
        for genre in genres:
            have[genre] += 1
        invented.append(_movie(mid, genres, rng, titles, folder))
    return sorted(invented, key=lambda movie: movie.mid)


def _imbalance(have: dict[str, int], genres: tuple[str, ...], count: int) -> float:
    """The squared deviation from `SHARES` of the genres of `count` movies, with `genres` added."""
    return sum((have[g] + (g in genres) - SHARES[g] * count) ** 2 for g in GENRES)


def _movie(
    mid: str, genres: tuple[str, ...], rng: random.Random, titles: Counter[str], folder: str
) -> Movie:
    """A movie with an invented title; a repeated title becomes a sequel."""
    noun = rng.choice(_NOUNS[rng.choice(genres)].split())
    title = f"{rng.choice(('The ', ''))}{rng.choice(_ADJECTIVES.split())} {noun}"
    titles[title] += 1
    return Movie(
        mid=mid,
        title=title if titles[title] == 1 else f"{title} {titles[title]}",
        year=str(rng.randint(1990, 2024)),
        genres=genres,
        trailer_url=f"{folder}/trailers/{mid}.mp4",
        poster_url=f"{folder}/posters/{mid}.jpg",
    )
