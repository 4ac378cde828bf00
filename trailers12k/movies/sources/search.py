"""A trailer for each movie that has none, by a search through yt-dlp, with a person's corrections.

Keeps the candidates of a movie, `FOLDER/MID.answer.json`; reads and writes the choices, a CSV file
with a column `correction` for the person. Must not know how trailers are downloaded.
"""

import json
import logging
import random
import re
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, unquote

from trailers12k.common.errors import Failure, Stop
from trailers12k.common.files import write_csv, write_json
from trailers12k.common.fingerprint import fingerprint
from trailers12k.common.movie import is_youtube_id
from trailers12k.common.text import one_line
from trailers12k.downloads import retries
from trailers12k.jobs import runner as shards
from trailers12k.jobs.reasons import STOPS, classify_error
from trailers12k.jobs.runner import Task
from trailers12k.movies.sources.records import Record
from trailers12k.movies.sources.trailer_choices import (
    COLUMNS,
    NONE,
    _corrections,
    _is_url,
    _lines,
    _rows,
    corrections,
)
from trailers12k.movies.titles import _is_other_year, _likest, _numbers, _words, _years

log = logging.getLogger(__name__)

WEIGHTS = {
    "title": 0.50,  # times the square of how much of the two titles is the same, 0 to 1
    "year": 0.15,  # the movie's year is named
    "trailer": 0.15,
    "teaser": 0.10,  # and not "trailer"
    "official": 0.05,
    "length": 0.10,  # a trailer's
    "odd length": 0.00,  # neither a trailer's nor no trailer's
    "channel": 0.05,  # named like a studio, or like a channel of trailers
    "no trailer": -0.20,  # neither "trailer" nor "teaser"
    "other year": -0.30,  # by more than one: a festival comes before the cinemas
    "other number": -0.30,  # of a sequel
    "no number": -0.15,  # though the movie has one
    "other kind": -0.40,  # a reaction, a review, ...
    "other length": -0.30,  # too short, or far too long
}
"""A candidate's score is the sum of these, from 0 to 1. A length or a channel that is not known
costs what it would give."""

LENGTH = (30, 240)
"""Seconds of a trailer."""
OTHER_LENGTH = (20, 600)
"""Seconds of what is shorter or longer than any."""
OTHER_KIND = re.compile(
    r"\b(reactions?|reacts?|reviews?|fan ?made|unofficial|concept|parody|scenes?|clips?"
    r"|interviews?|behind the scenes|making of|featurette|game ?play|soundtrack|full movie"
    r"|explained|breakdown|recap)\b"
)
CHANNEL = re.compile(
    r"pictures|studio|movieclips|trailer|official|entertainment|films|cinema|warner|paramount"
    r"|universal|disney|marvel|sony|lionsgate|netflix|a24|hbo|prime video"
)

CORRECTED = ("corrected", "corrected_to_none")
"""Reasons that nothing is searched for."""


def read(settings: Mapping, known: Mapping[str, Record]) -> tuple[list[Record], list[dict]]:
    """Trailers of the movies that have none, and the ledger of searching; writes the choices.

    settings: `address` (what yt-dlp is asked for, with {count} and {query}), `candidates`,
        `least_score`, `choices` (a path), `pause` (the least and the most seconds between two
        searches), `retries`, `timeout` (seconds), `folder` (of the answers), `retry` and `stop`
        (for `shards.process`).
    Raises `UserError` for a correction that is none.
    """
    choices, folder, least = Path(settings["choices"]), settings["folder"], settings["least_score"]
    movies = {mid: record for mid, record in known.items() if not record.trailers}
    files = {mid: folder / f"{mid}.answer.json" for mid in movies}
    queries = {mid: _query(record) for mid, record in movies.items()}
    search = _Search(settings)

    def work(mid: str) -> dict:
        write_json(files[mid], search.candidates(queries[mid]))
        return {}

    def candidates(row: Mapping) -> list[dict]:
        """Those found for a movie; the answer to an earlier question is none."""
        mid, corrected = row["mid"], row.get("reason") in CORRECTED
        if row["status"] == "ok" or (corrected and files[mid].exists()):
            return _scored(json.loads(files[mid].read_text("utf-8")), movies[mid])
        return []

    def judged(row: dict, scored: Sequence[Mapping]) -> dict:
        """Not in `work`, since another `least_score` must not search again."""
        best = max((one["score"] for one in scored), default=0.0)
        if row["status"] != "ok" or best >= least:
            return row
        told = f"the best score is {best:g}, least_score {least:g}"
        return row | {"status": "failed", "reason": "no_trailer_found", "detail": told}

    corrected = corrections(choices)
    asked = {"address": settings["address"], "candidates": settings["candidates"]}
    tasks = [
        Task(
            mid, fingerprint(query=query, **asked), (files[mid],), _skip(query, corrected.get(mid))
        )
        for mid, query in queries.items()
    ]
    rows = shards.process(
        tasks,
        folder,
        work,
        unit="search",
        retry=lambda row, tried: settings["retry"](judged(row, candidates(row)), tried),
        stop=settings.get("stop"),
        tool=retries.yt_dlp(),
    )
    found = {row["mid"]: candidates(row) for row in rows}
    # Once more: searching takes hours, in which a person may have written into it.
    lines = _lines(choices)
    corrected = _corrections(lines, choices)
    records, table = [], []
    for place, row in enumerate(rows):
        mid = row["mid"]
        correction = corrected.get(mid, "")
        if correction:
            row = {"mid": mid, "status": "skipped", "reason": _skip("", correction)}
        rows[place] = judged(row, found[mid])
        trailers = _trailers(found[mid], least, correction)
        if trailers:
            records.append(Record(mid, trailers=trailers, where=f"{choices}, {mid}"))
        table += _rows(movies[mid], found[mid], trailers, correction)
    # The corrections of movies that this run does not know.
    old = [row for _, row in lines]
    table += [row for row in old if row["mid"] in corrected and row["mid"] not in movies]
    table.sort(key=lambda row: row["mid"])
    if table != old:
        write_csv(choices, COLUMNS, table)
    log.info("%d of %d movies got a trailer: see %s", len(records), len(movies), choices)
    return records, rows


def _skip(query: str, correction: str | None) -> str:
    """Why a movie is not searched for, if so."""
    if correction:
        return CORRECTED[correction == NONE]
    return "" if query else "no_title"


def _query(record: Record) -> str:
    title = one_line(record.title)
    year = f" ({record.year})" if record.year else ""
    return f"{title}{year} official trailer" if title else ""


class _Search:
    """yt-dlp, asked for one movie after the other. Made when the first is asked for."""

    def __init__(self, settings: Mapping):
        self.settings = settings
        self.client: Any = None
        # Its own: no result may depend on how often it was asked.
        self.random = random.Random()

    def candidates(self, query: str) -> list[dict]:
        """What the search gives. Raises `Failure`, `Stop`."""
        if self.client is None:
            self.client = self._client()
        else:
            time.sleep(self.random.uniform(*self.settings["pause"]))
        address = self.settings["address"].replace("{count}", str(self.settings["candidates"]))
        address = address.replace("{query}", quote_plus(query) if "://" in address else query)
        info = self._ask(address, query)
        if (info or {}).get("_type") != "playlist":
            raise Failure("bad_answer", "no list of videos came")
        return _candidates(info["entries"])

    def _ask(self, address: str, query: str) -> Mapping | None:
        """yt-dlp's answer; a lost connection is tried again. Raises `Failure`, `Stop`."""
        # Imported here: it costs half a second that no other source should pay.
        from yt_dlp.utils import YoutubeDLError

        for left in range(self.settings["retries"], -1, -1):
            try:
                return self.client.extract_info(address, download=False)
            except YoutubeDLError as error:
                message = str(error).removeprefix("ERROR: ")
                quoted = quote_plus(query)
                reason = classify_error(error, query, quoted, unquote(quoted))
                if left and reason in ("network", "server_error"):
                    time.sleep(2 ** (self.settings["retries"] - left))
                    continue
                raise (Stop if reason in STOPS else Failure)(reason, message) from error
            except Exception as error:
                # It lets through whatever its extractors stumble over, such as a year 99999.
                raise Failure("extractor_broken", f"{type(error).__name__}: {error}") from error

    def _client(self) -> Any:
        from yt_dlp import YoutubeDL

        options = {
            "extract_flat": "in_playlist",
            "playlistend": self.settings["candidates"],
            "extractor_retries": self.settings["retries"],
            "socket_timeout": self.settings["timeout"],
            # It would claim to be in another country.
            "geo_bypass": False,
            "quiet": True,
            "noprogress": True,
            "color": "no_color",
            "cachedir": False,
            "logger": _Quiet(),
        }
        if "://" in self.settings["address"]:
            from trailers12k.downloads.http import USER_AGENT

            options["http_headers"] = {"User-Agent": USER_AGENT}
        return YoutubeDL(options)


class _Quiet:
    """yt-dlp's messages go nowhere: the ledger has the reason."""

    def debug(self, message: str) -> None:
        pass

    info = warning = error = debug


def _candidates(entries: Iterable[Mapping]) -> list[dict]:
    """Those of yt-dlp's entries that can be downloaded, and what is used of them."""
    found: dict[str, dict] = {}
    for entry in entries:
        # What its extractors tell each other stands behind a feed's URLs.
        url = str(entry.get("url") or "").partition("#__youtubedl_smuggle")[0]
        if entry.get("ie_key") == "Youtube":
            name, address = "id", str(entry.get("id"))
            fits = is_youtube_id(address)
        else:
            name, address = "url", url
            fits = _is_url(address)
        if fits:
            channel = entry.get("channel") or entry.get("uploader")
            candidate = {
                name: address,
                "title": one_line(entry.get("title")),
                "channel": one_line(channel),
                "duration": _number(entry.get("duration")),
                "view_count": _number(entry.get("view_count")),
            }
            found.setdefault(address, candidate)
    return list(found.values())


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) and 0 <= value < 1e12 else None


def _scored(candidates: Iterable[Mapping], record: Record) -> list[dict]:
    """Candidates with `score`, `why` and `rank`; the best first, then as the search had them."""
    scored = []
    for rank, candidate in enumerate(candidates, 1):
        points, why = score(candidate, record.title, record.year)
        scored.append({**candidate, "score": points, "why": why, "rank": rank})
    return sorted(scored, key=lambda one: -one["score"])


def score(candidate: Mapping, title: str, year: str) -> tuple[float, str]:
    """How much a candidate looks like a movie's trailer, 0 to 1, and why.

    candidate: `title`, `channel` and `duration` (seconds), of which any may be missing.
    """
    own, words = _words(title), _words(candidate.get("title") or "")
    # What the candidate's title has beside the movie's.
    more = Counter(words) - Counter(own)
    same, run = _likest(words, own)
    names = ["title"]
    told = {"title": f"title {same:.2g}"}

    years = _years(more)
    if year and year in years:
        names.append("year")
    elif _is_other_year(years, year):
        names.append("other year")
        told["other year"] = f"other year {years[0]}"
    if (others := _numbers(run)) != _numbers(own):
        names.append("other number" if others else "no number")
    if "official" in more:
        names.append("official")
    names.append(next((name for name in ("trailer", "teaser") if name in more), "no trailer"))
    kinds = [found[0] for found in OTHER_KIND.finditer(" ".join(words))]
    kinds = [kind for kind in kinds if f" {kind} " not in f" {' '.join(own)} "]
    if kinds:
        names.append("other kind")
        told["other kind"] = kinds[0]
    if CHANNEL.search(" ".join(_words(candidate.get("channel") or ""))):
        names.append("channel")
    seconds = candidate.get("duration")
    if seconds is not None:
        names.append(_length(seconds))
        told[names[-1]] = f"{seconds:.0f} s"
    total = sum(WEIGHTS[name] * (same**2 if name == "title" else 1) for name in names)
    return round(min(max(total, 0.0), 1.0), 2), ", ".join(told.get(name, name) for name in names)


def _length(seconds: float) -> str:
    if seconds < OTHER_LENGTH[0] or seconds > OTHER_LENGTH[1]:
        return "other length"
    return "length" if LENGTH[0] <= seconds <= LENGTH[1] else "odd length"


def _trailers(candidates: Iterable[Mapping], least: float, correction: str) -> tuple[dict, ...]:
    """A movie's trailers, the best first: what a person says, else the candidates good enough."""
    if correction:
        name = "id" if is_youtube_id(correction) else "url"
        return () if correction == NONE else ({name: correction},)
    return tuple(
        {
            **{name: one[name] for name in ("id", "url") if name in one},
            **{"name": one["title"], "channel": one["channel"], "score": one["score"]},
        }
        for one in candidates
        if one["score"] >= least
    )
