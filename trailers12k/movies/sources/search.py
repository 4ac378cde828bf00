"""A trailer for each movie without one: a search through yt-dlp, and a person's corrections.

Keeps the candidates of a movie, `FOLDER/MID.answer.json`; reads and writes the choices, a CSV file
with a column `correction` for the person. Must not know how trailers are downloaded.
"""

import logging
import random
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, unquote

from trailers12k.common.errors import Failure, Stop, UserError
from trailers12k.common.files import read_json, reading, write_csv, write_json
from trailers12k.common.fingerprint import fingerprint
from trailers12k.common.movie import named_trailer
from trailers12k.common.text import one_line
from trailers12k.common.vocabulary import FAILED, OK, SKIPPED
from trailers12k.downloads.bounds import OutOfBounds, bounded
from trailers12k.downloads.messages import without_objects
from trailers12k.downloads.retries import yt_dlp_version
from trailers12k.jobs.ledger import LedgerRow
from trailers12k.jobs.reasons import STOPS, classify_error
from trailers12k.jobs.runner import Task, process
from trailers12k.movies.sources import trailer_choices
from trailers12k.movies.sources.candidates import candidates_of, scored
from trailers12k.movies.sources.records import Record
from trailers12k.movies.sources.services import ServiceJob

log = logging.getLogger(__name__)

CORRECTED = ("corrected", "corrected_to_none")
"""Reasons why a movie is not searched for."""

LARGEST = 20_000_000
"""Bytes of the pages of one search."""


@dataclass(frozen=True)
class SearchSettings:
    """address: the search term for yt-dlp, with {count} and {query}. candidates: number of results.
    least_score: of an accepted candidate. choices: path of the table. pause: shortest and longest,
    in seconds, between two searches."""

    address: str
    candidates: int
    least_score: float
    choices: str | Path
    pause: Sequence[float]


def read(
    settings: Mapping[str, Any], earlier: Mapping[str, Record], service: ServiceJob
) -> tuple[list[Record], list[LedgerRow]]:
    """Trailers of the movies that have none, and the ledger of the searches; writes the choices.

    settings: the fields of `SearchSettings`.
    Raises `UserError` for an invalid correction.
    """
    movies = {mid: record for mid, record in earlier.items() if not record.trailers}
    return _MovieSearch(SearchSettings(**settings), movies, service).run()


class _MovieSearch:
    """The search for the trailers of some movies, mid -> record."""

    def __init__(self, settings: SearchSettings, movies: Mapping[str, Record], service: ServiceJob):
        self.settings = settings
        self.movies = movies
        self.service = service
        self.choices = Path(settings.choices)
        self.queries = {mid: _query(record) for mid, record in movies.items()}
        self.client = _Client(settings, service)

    def run(self) -> tuple[list[Record], list[LedgerRow]]:
        """See `read`."""
        rows = process(
            self._tasks(trailer_choices.corrections(self.choices)),
            self.service.folder,
            self._work,
            unit="search",
            retry=lambda row, tried: self.service.retry(
                self._judged(row, self._candidates(row)), tried
            ),
            stop=self.service.stop,
            tool=yt_dlp_version(),
        )
        candidates = {row["mid"]: self._candidates(row) for row in rows}
        # Read again: the person may have edited the table during the search, which takes hours.
        lines = trailer_choices.lines_of(self.choices)
        corrections = trailer_choices.corrections_in(lines, self.choices)
        records: list[Record] = []
        ledger: list[LedgerRow] = []
        table: list[dict[str, str]] = []
        for row in rows:
            mid = row["mid"]
            correction = corrections.get(mid, "")
            if correction:
                row = {"mid": mid, "status": SKIPPED, "reason": _skip("", correction)}
            ledger.append(self._judged(row, candidates[mid]))
            trailers = _trailers(candidates[mid], self.settings.least_score, correction)
            if trailers:
                records.append(Record(mid, trailers=trailers, where=f"{self.choices}, {mid}"))
            movie = self.movies[mid]
            table += trailer_choices.rows_of(movie, candidates[mid], trailers, correction)
        self._write_choices(table, [row for _, row in lines], corrections)
        log.info("%d of %d movies got a trailer: %s", len(records), len(rows), self.choices)
        return records, ledger

    def _tasks(self, corrections: Mapping[str, str]) -> list[Task]:
        question = {"address": self.settings.address, "candidates": self.settings.candidates}
        return [
            Task(
                mid,
                fingerprint(query=query, **question),
                (self.service.answer_file(mid),),
                hashed=(self.service.answer_file(mid),),
                skip=_skip(query, corrections.get(mid)),
            )
            for mid, query in self.queries.items()
        ]

    def _work(self, mid: str) -> dict[str, Any]:
        write_json(self.service.answer_file(mid), self.client.candidates(self.queries[mid]))
        return {}

    def _candidates(self, row: LedgerRow) -> list[dict[str, Any]]:
        """The scored candidates of a movie; none when its answer is to an earlier question.

        Raises `UserError` for a damaged answer, but where a person has corrected its choice.
        """
        mid = row["mid"]
        if row["status"] == OK:
            return self._answer(mid)
        with suppress(FileNotFoundError, UserError):
            return self._answer(mid) if row.get("reason") in CORRECTED else []
        return []

    def _answer(self, mid: str) -> list[dict[str, Any]]:
        answer = self.service.answer_file(mid)
        with reading(answer):
            return scored(read_json(answer, list), self.movies[mid])

    def _judged(self, row: LedgerRow, candidates: Sequence[Mapping[str, Any]]) -> LedgerRow:
        """A row that fails when no candidate scores enough.

        Not in `_work`, since a change of `least_score` must not repeat the search.
        """
        least = self.settings.least_score
        best = max((candidate["score"] for candidate in candidates), default=0.0)
        if row["status"] != OK or best >= least:
            return row
        detail = f"the best score is {best:g}, least_score {least:g}"
        return row | {"status": FAILED, "reason": "no_trailer_found", "detail": detail}

    def _write_choices(
        self,
        table: list[dict[str, str]],
        old: Sequence[dict[str, str]],
        corrections: Mapping[str, str],
    ) -> None:
        """Write the choices, unless unchanged; corrections of movies of other runs stay."""
        table += [row for row in old if row["mid"] in corrections and row["mid"] not in self.movies]
        table.sort(key=lambda row: row["mid"])
        if table != old:
            write_csv(self.choices, trailer_choices.COLUMNS, table)


def _skip(query: str, correction: str | None) -> str:
    """The reason why a movie is not searched for; empty when it is."""
    if correction:
        return CORRECTED[correction == trailer_choices.NONE]
    return "" if query else "no_title"


def _query(record: Record) -> str:
    title = one_line(record.title)
    year = f" ({record.year})" if record.year else ""
    return f"{title}{year} official trailer" if title else ""


class _Client:
    """yt-dlp for one search after the other, created with the first."""

    def __init__(self, settings: SearchSettings, service: ServiceJob):
        self.settings = settings
        self.service = service
        self.client: Any = None
        # Its own generator: no result may depend on the number of searches.
        self.random = random.Random()  # nosec B311  # for pauses

    def candidates(self, query: str) -> list[dict[str, Any]]:
        """The candidates of a search, see `candidates_of`. Raises `Failure`, `Stop`."""
        if self.client is None:
            self.client = self._new()
        else:
            time.sleep(self.random.uniform(*self.settings.pause))
        address = self.settings.address.replace("{count}", str(self.settings.candidates))
        address = address.replace("{query}", quote_plus(query) if "://" in address else query)
        info = self._extract(address, query)
        if (info or {}).get("_type") != "playlist":
            raise Failure("bad_answer", "the answer is not a list of videos")
        return candidates_of(info["entries"])

    def _extract(self, address: str, query: str) -> Any:
        """yt-dlp's answer; a lost connection is tried again. Raises `Failure`, `Stop`."""
        # Imported here: it takes half a second, which other sources need not spend.
        from yt_dlp.utils import YoutubeDLError

        tries = 0
        while True:
            try:
                with bounded(self.service.bounds, LARGEST):
                    return self.client.extract_info(address, download=False)
            except OutOfBounds:
                raise
            except YoutubeDLError as error:
                message = without_objects(str(error).removeprefix("ERROR: "))
                quoted = quote_plus(query)
                reason = classify_error(error, query, quoted, unquote(quoted))
                if tries == self.service.retries or reason not in ("network", "server_error"):
                    raise (Stop if reason in STOPS else Failure)(reason, message) from error
                time.sleep(2**tries)
                tries += 1
            except Exception as error:
                # yt-dlp does not catch all errors of its extractors, such as a year 99999.
                raise Failure("extractor_broken", f"{type(error).__name__}: {error}") from error

    def _new(self) -> Any:
        from trailers12k.downloads.youtube import Silent
        from trailers12k.downloads.ytdlp import BoundedYoutubeDL

        options: dict[str, Any] = {
            "extract_flat": "in_playlist",
            "playlistend": self.settings.candidates,
            "extractor_retries": self.service.retries,
            "socket_timeout": self.service.timeout,
            # Otherwise it sends headers of another country.
            "geo_bypass": False,
            "quiet": True,
            "noprogress": True,
            "color": "no_color",
            "cachedir": False,
            "logger": Silent(),
        }
        if "://" in self.settings.address:
            from trailers12k.downloads.http import USER_AGENT

            options["http_headers"] = {"User-Agent": USER_AGENT}
        return BoundedYoutubeDL(options)


def _trailers(
    candidates: Iterable[Mapping[str, Any]], least: float, correction: str
) -> tuple[dict[str, Any], ...]:
    """A movie's trailers: the person's correction, else the sufficient candidates, best first."""
    if correction:
        return () if correction == trailer_choices.NONE else (named_trailer(correction),)
    return tuple(
        {
            **{name: candidate[name] for name in ("id", "url") if name in candidate},
            "name": candidate["title"],
            "channel": candidate["channel"],
            "score": candidate["score"],
        }
        for candidate in candidates
        if candidate["score"] >= least
    )
