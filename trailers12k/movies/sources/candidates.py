"""Candidates for a movie's trailer: the usable part of search results, and their scores.

Reads and writes nothing. Must not know how trailers are searched for.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from trailers12k.common.movie import is_web_address
from trailers12k.common.text import one_line
from trailers12k.common.youtube import is_youtube_id, video_id
from trailers12k.movies.sources.records import Record
from trailers12k.movies.titles import best_match, has_other_year, numbers_in, words_of, years_in

WEIGHTS = {
    "title": 0.50,  # times the square of the titles' similarity, 0 to 1
    "year": 0.15,  # the movie's year is named
    "trailer": 0.15,
    "teaser": 0.10,  # and not "trailer"
    "official": 0.05,
    "length": 0.10,  # that of a trailer
    "odd length": 0.00,  # neither clearly a trailer's nor clearly not
    "channel": 0.05,  # named like a studio or a channel of trailers
    "no trailer": -0.20,  # neither "trailer" nor "teaser"
    "other year": -0.30,  # by more than one: festivals precede the release
    "other number": -0.30,  # of a sequel
    "no number": -0.15,  # though the movie has one
    "other kind": -0.40,  # a reaction, a review, ...
    "other length": -0.30,  # too short, or far too long
}
"""A candidate's score is the sum of these, limited to 0 to 1. A missing length or channel adds
nothing."""

LENGTH = (30, 240)
"""Shortest and longest usual trailer, in seconds."""
OTHER_LENGTH = (20, 600)
"""Seconds outside of which a video is no trailer."""
OTHER_KIND = re.compile(
    r"\b(reactions?|reacts?|reviews?|fan ?made|unofficial|concept|parody|scenes?|clips?"
    r"|interviews?|behind the scenes|making of|featurette|game ?play|soundtrack|full movie"
    r"|explained|breakdown|recap)\b"
)
CHANNEL = re.compile(
    r"pictures|studio|movieclips|trailer|official|entertainment|films|cinema|warner|paramount"
    r"|universal|disney|marvel|sony|lionsgate|netflix|a24|hbo|prime video"
)


def candidates_of(entries: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The downloadable entries of a yt-dlp playlist, each once, in its order.

    Keys: `id` (of YouTube) or `url`, `title`, `channel`, `duration` (seconds or None), `view_count`
    (or None).
    """
    candidates: dict[str, dict[str, Any]] = {}
    for entry in entries:
        # yt-dlp appends data for its own extractors to the URLs of a feed.
        url = str(entry.get("url") or "").partition("#__youtubedl_smuggle")[0]
        if entry.get("ie_key") == "Youtube":
            name, address = "id", str(entry.get("id"))
            usable = is_youtube_id(address)
        elif video := video_id(url):
            name, address, usable = "id", video, True
        else:
            name, address, usable = "url", url, is_web_address(url)
        if usable:
            channel = entry.get("channel") or entry.get("uploader")
            candidate = {
                name: address,
                "title": one_line(entry.get("title")),
                "channel": one_line(channel),
                "duration": _number(entry.get("duration")),
                "view_count": _number(entry.get("view_count")),
            }
            candidates.setdefault(address, candidate)
    return list(candidates.values())


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) and 0 <= value < 1e12 else None


def scored(candidates: Iterable[Mapping[str, Any]], record: Record) -> list[dict[str, Any]]:
    """Candidates with `score`, `why` and `rank` (from 1, in the search's order), the best first."""
    rows = []
    for rank, candidate in enumerate(candidates, 1):
        points, why = score(candidate, record.title, record.year)
        rows.append({**candidate, "score": points, "why": why, "rank": rank})
    return sorted(rows, key=lambda row: -row["score"])


def score(candidate: Mapping[str, Any], title: str, year: str) -> tuple[float, str]:
    """How likely a candidate is a movie's trailer, 0 to 1, and the reasons.

    candidate: `title`, `channel` and `duration` (seconds), each optional.
    """
    own, words = words_of(title), words_of(candidate.get("title") or "")
    # Words of the candidate's title that the movie's title does not have.
    more = Counter(words) - Counter(own)
    similarity, part = best_match(words, own)
    names = ["title"]
    details = {"title": f"title {similarity:.2g}"}

    years = years_in(more)
    if year and year in years:
        names.append("year")
    elif has_other_year(years, year):
        names.append("other year")
        details["other year"] = f"other year {years[0]}"
    if (numbers := numbers_in(part)) != numbers_in(own):
        names.append("other number" if numbers else "no number")
    if "official" in more:
        names.append("official")
    names.append(next((name for name in ("trailer", "teaser") if name in more), "no trailer"))
    kinds = [match[0] for match in OTHER_KIND.finditer(" ".join(words))]
    kinds = [kind for kind in kinds if f" {kind} " not in f" {' '.join(own)} "]
    if kinds:
        names.append("other kind")
        details["other kind"] = kinds[0]
    if CHANNEL.search(" ".join(words_of(candidate.get("channel") or ""))):
        names.append("channel")
    seconds = candidate.get("duration")
    if seconds is not None:
        names.append(_length(seconds))
        details[names[-1]] = f"{seconds:.0f} s"
    total = sum(WEIGHTS[name] * (similarity**2 if name == "title" else 1) for name in names)
    why = ", ".join(details.get(name, name) for name in names)
    return round(min(max(total, 0.0), 1.0), 2), why


def _length(seconds: float) -> str:
    if seconds < OTHER_LENGTH[0] or seconds > OTHER_LENGTH[1]:
        return "other length"
    return "length" if LENGTH[0] <= seconds <= LENGTH[1] else "odd length"
