"""The Movie Database (TMDB): titles, years, genres, trailers, posters and plots of movies.

Queries its API by IMDb ids; keeps an answer per movie, `FOLDER/MID.answer.json`. Must not know what
is done with the movies, and must not write its key into any file, log or message.
"""

import json
import logging
import os
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trailers12k.common.errors import Failure, UserError
from trailers12k.common.files import read_json, reading, write_json
from trailers12k.common.fingerprint import fingerprint
from trailers12k.common.text import one_line
from trailers12k.common.vocabulary import GENRES, OK, SKIPPED
from trailers12k.common.youtube import is_youtube_id
from trailers12k.downloads import http
from trailers12k.jobs.ledger import LedgerRow
from trailers12k.jobs.runner import Task, process
from trailers12k.movies.sources.credits import CREDITS
from trailers12k.movies.sources.records import FIELDS, Record
from trailers12k.movies.sources.services import ServiceJob

log = logging.getLogger(__name__)

KEY = "TMDB_API_KEY"
"""The environment variable that holds the key, its only place."""
HOW = (
    f"get one at https://www.themoviedb.org/settings/api, then: export {KEY}=...; "
    "or remove tmdb from movies:"
)

GENRE_IDS = {
    28: "action",
    12: "adventure",
    35: "comedy",
    80: "crime",
    18: "drama",
    14: "fantasy",
    27: "horror",
    10749: "romance",
    878: "sci-fi",
    53: "thriller",
}
"""TMDB's genre ids, from its /genre/movie/list."""
LARGEST = 1_000_000
"""Bytes of an answer."""


@dataclass(frozen=True)
class TmdbSettings:
    """api: URL of the API. images: URL of the posters' folder. parallel: concurrent requests."""

    api: str
    images: str
    parallel: int


def read(
    settings: Mapping[str, Any], earlier: Mapping[str, Record], service: ServiceJob
) -> tuple[list[Record], list[LedgerRow]]:
    """TMDB's records of the movies that have a gap, and the ledger of the requests.

    settings: the fields of `TmdbSettings`.
    Raises `UserError` when a request is needed and the key is missing or refused.
    """
    tmdb = TmdbSettings(**settings)
    # Without the key: every key gives the same answers.
    question = fingerprint(api=tmdb.api)
    tasks = [
        Task(
            mid,
            question,
            (service.answer_file(mid),),
            hashed=(service.answer_file(mid),),
            skip="complete" if all(getattr(record, name) for name in FIELDS) else "",
        )
        for mid, record in earlier.items()
    ]
    api = _Api(tmdb, service)

    def work(mid: str) -> dict[str, Any]:
        write_json(service.answer_file(mid), api.query(mid))
        return {}

    rows = process(tasks, service.folder, work, tmdb.parallel, retry=service.retry)
    records = [
        _kept_record(mid, service.answer_file(mid), tmdb.images)
        for mid in (row["mid"] for row in rows if row["status"] == OK)
    ]
    queried = sum(row["status"] != SKIPPED for row in rows)
    trailers = sum(bool(record.trailers) for record in records)
    log.info(
        "TMDB: %d movies queried, %d found, %d with a trailer. %s",
        *(queried, len(records), trailers, CREDITS["tmdb"]),
    )
    return records, rows


class _Api:
    """The two requests about a movie, with one session per thread. The key is read on first use."""

    def __init__(self, settings: TmdbSettings, service: ServiceJob):
        self.settings = settings
        self.service = service
        self.local = threading.local()

    def query(self, mid: str) -> dict[str, Any]:
        """The used part of TMDB's answers about a movie. Raises `Failure`, `UserError`."""
        matches = _list(self._get(f"find/{mid}?external_source=imdb_id"), "movie_results")
        if not matches:
            raise Failure("not_found", "TMDB has no movie with this id")
        movie = matches[0]
        if not isinstance(movie, dict) or type(movie.get("id")) is not int:
            raise Failure("bad_answer", "a movie without an id")
        videos = _list(self._get(f"movie/{movie['id']}/videos"), "results")
        date, poster = one_line(movie.get("release_date")), one_line(movie.get("poster_path"))
        ids = movie.get("genre_ids")
        return {
            "id": movie["id"],
            "title": one_line(movie.get("title")),
            "overview": one_line(movie.get("overview")),
            "release_date": date if re.fullmatch(r"\d{4}-\d\d-\d\d", date, re.ASCII) else "",
            "poster_path": poster if re.fullmatch(r"/[\w.-]+", poster, re.ASCII) else "",
            "genre_ids": [n for n in ids if type(n) is int] if isinstance(ids, list) else [],
            "trailers": _trailers(videos),
        }

    def _get(self, path: str) -> Any:
        """The JSON of an answer. Raises `Failure`, `UserError`."""
        key = _key()
        if not hasattr(self.local, "client"):
            self.local.client = _client(key, self.service.retries)
        url = f"{self.settings.api.rstrip('/')}/{path}"
        # `from None`, and the key removed: errors contain the whole URL, and a hostile server may
        # send back what it received.
        try:
            service = self.service
            data = http.read(self.local.client, url, LARGEST, service.timeout, service.bounds)
            return json.loads(data.replace(key.encode(), b""))
        except Failure as failure:
            if failure.status in (401, 403):
                raise UserError(
                    f"{KEY}: TMDB refuses this key (HTTP Error {failure.status}); allowed: a "
                    f"valid key; {HOW}"
                ) from None
            reason = "not_found" if failure.status == 404 else failure.reason
            detail = failure.detail.replace(key, "...")
            raise Failure(reason, detail, failure.status) from None
        except (ValueError, RecursionError):
            raise Failure("bad_answer", f"{path.partition('?')[0]}: not JSON") from None


def _key() -> str:
    """The key. Raises `UserError` when it is not set or cannot be sent in a header."""
    key = os.environ.get(KEY, "").strip()
    if not re.fullmatch("[!-~]+", key):
        fault = "its value is not a key" if key else "it is not set"
        raise UserError(f"{KEY}: {fault}; allowed: a key of TMDB; {HOW}")
    return key


def _client(key: str, retries: int) -> Any:
    client = http.session(retries, patient=True)
    # These loggers write URLs, and a level of their own would override their parent's.
    for name in ("connection", "connectionpool", "poolmanager", "util.retry"):
        logging.getLogger(f"urllib3.{name}").setLevel(logging.ERROR)
    if re.fullmatch("[0-9a-fA-F]{32}", key):
        client.params = {"api_key": key}
    else:
        client.headers["Authorization"] = f"Bearer {key}"
    return client


def _list(answer: Any, name: str) -> list[Any]:
    if not isinstance(answer, dict) or not isinstance(answer.get(name), list):
        raise Failure("bad_answer", f"no list of {name}")
    return answer[name]


def _trailers(videos: list[Any]) -> list[dict[str, str]]:
    """The YouTube trailers among TMDB's videos, the best first: official, English, large, early."""

    def rank(video: Mapping[str, Any]) -> tuple[Any, ...]:
        size = video.get("size")
        return (
            video.get("official") is not True,
            video.get("iso_639_1") != "en",
            -size if type(size) is int else 0,
            one_line(video.get("published_at")) or "unknown: after all dates",
            video["key"],
        )

    trailers = [
        video
        for video in videos
        if isinstance(video, dict)
        and (video.get("site"), video.get("type")) == ("YouTube", "Trailer")
        and isinstance(video.get("key"), str)
        and is_youtube_id(video["key"])
    ]
    names: dict[str, str] = {}
    for video in sorted(trailers, key=rank):
        names.setdefault(video["key"], one_line(video.get("name")))
    return [{"id": key, "name": name} for key, name in names.items()]


def _kept_record(mid: str, answer: Path, images: str) -> Record:
    """The record of a movie from its kept answer. Raises `UserError` for a damaged one."""
    with reading(answer):
        return _record(mid, read_json(answer), images)


def _record(mid: str, answer: Mapping[str, Any], images: str) -> Record:
    genres = {GENRE_IDS.get(number) for number in answer["genre_ids"]}
    poster = answer["poster_path"]
    entry = ("id", "title", "overview", "release_date", "poster_path")
    return Record(
        mid,
        answer["title"],
        answer["release_date"][:4],
        tuple(genre for genre in GENRES if genre in genres),
        tuple(answer["trailers"]),
        images.rstrip("/") + poster if poster else "",
        {"tmdb": {name: answer[name] for name in entry}},
        f"TMDB, {mid}",
    )
