"""What The Movie Database (TMDB) knows of movies: titles, years, genres, trailers, posters, plots.

Asks its API by IMDb's ids; keeps an answer per movie, `FOLDER/MID.answer.json`. Must not know what
is done with the movies, and must not let its key into any file, log or message.
"""

import json
import logging
import os
import re
import threading
from collections.abc import Mapping
from typing import Any

from trailers12k.common.errors import Failure, UserError
from trailers12k.common.files import write_json
from trailers12k.common.fingerprint import fingerprint
from trailers12k.common.movie import is_youtube_id
from trailers12k.common.text import one_line
from trailers12k.common.vocabulary import GENRES
from trailers12k.downloads import http as web
from trailers12k.jobs import runner as shards
from trailers12k.jobs.runner import Task
from trailers12k.movies.sources import CREDITS
from trailers12k.movies.sources.records import Record

log = logging.getLogger(__name__)

ATTRIBUTION = CREDITS["tmdb"]
KEY = "TMDB_API_KEY"
"""The environment variable that holds the key; it is nowhere else."""
HOW = (
    f"get one at https://www.themoviedb.org/settings/api, then: export {KEY}=...; "
    "or take tmdb out of movies:"
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
FILLED = ("title", "year", "genres", "trailers", "poster_url")
"""What TMDB may give to a movie."""
LARGEST = 1_000_000
"""Bytes of an answer."""


def read(settings: Mapping, known: Mapping[str, Record]) -> tuple[list[Record], list[dict]]:
    """What TMDB knows of the movies that have a gap, and the ledger of asking.

    settings: `api`, `images` (URLs), `parallel`, `retries`, `timeout` (seconds), `folder` (of the
        answers) and `retry` (for `shards.process`).
    Raises `UserError` when there is a movie to ask but no key, or TMDB refuses it.
    """
    folder = settings["folder"]
    files = {mid: folder / f"{mid}.answer.json" for mid in known}
    # Not the key: another one gives the same answers.
    question = fingerprint(api=settings["api"])
    tasks = []
    for mid, record in known.items():
        complete = all(getattr(record, name) for name in FILLED)
        tasks.append(Task(mid, question, (files[mid],), "complete" if complete else ""))
    api = _Api(settings)

    def work(mid: str) -> dict:
        write_json(files[mid], api.ask(mid))
        return {}

    rows = shards.process(tasks, folder, work, settings["parallel"], retry=settings["retry"])
    records = [
        _record(row["mid"], json.loads(files[row["mid"]].read_text("utf-8")), settings["images"])
        for row in rows
        if row["status"] == "ok"
    ]
    asked = sum(row["status"] != "skipped" for row in rows)
    trailers = sum(bool(record.trailers) for record in records)
    log.info(
        "TMDB: %d movies asked for, %d found, %d with a trailer. %s",
        *(asked, len(records), trailers, ATTRIBUTION),
    )
    return records, rows


class _Api:
    """The two questions, with one session for each thread. Made without a key, asked with one."""

    def __init__(self, settings: Mapping):
        self.settings = settings
        self.local = threading.local()

    def ask(self, mid: str) -> dict:
        """What is used of TMDB's answers about a movie. Raises `Failure`, `UserError`."""
        found = _list(self._get(f"find/{mid}?external_source=imdb_id"), "movie_results")
        if not found:
            raise Failure("not_found", "TMDB has no movie of this id")
        movie = found[0]
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
        """An answer's JSON. Raises `Failure`, `UserError`."""
        key = _key()
        if not hasattr(self.local, "client"):
            self.local.client = _client(key, self.settings["retries"])
        url = f"{self.settings['api'].rstrip('/')}/{path}"
        # `from None`, and the key cut out: errors know the whole URL, and a server that is not
        # what it should be may send back what it got.
        try:
            data = web.read(self.local.client, url, LARGEST, self.settings["timeout"])
            return json.loads(data.replace(key.encode(), b""))
        except Failure as failure:
            status = re.match(r"HTTP Error (\d+)", failure.detail)
            code = status[1] if status else ""
            if code in ("401", "403"):
                raise UserError(
                    f"{KEY}: TMDB refuses this key (HTTP Error {code}); allowed: a key that is "
                    f"valid; {HOW}"
                ) from None
            reason = "not_found" if code == "404" else failure.reason
            raise Failure(reason, failure.detail.replace(key, "...")) from None
        except (ValueError, RecursionError):
            raise Failure("bad_answer", f"no JSON came of {path.partition('?')[0]}") from None


def _key() -> str:
    """The key. Raises `UserError` when there is none, or it could not be sent."""
    key = os.environ.get(KEY, "").strip()
    if not re.fullmatch("[!-~]+", key):
        fault = "what stands in it is no key" if key else "it is not set"
        raise UserError(f"{KEY}: {fault}; allowed: a key of TMDB; {HOW}")
    return key


def _client(key: str, retries: int) -> Any:
    client = web.session(retries, patient=True)
    # They write URLs into the log, and a level of their own would win over that of their parent.
    for name in ("connection", "connectionpool", "poolmanager", "util.retry"):
        logging.getLogger(f"urllib3.{name}").setLevel(logging.ERROR)
    if re.fullmatch("[0-9a-fA-F]{32}", key):
        client.params = {"api_key": key}
    else:
        client.headers["Authorization"] = f"Bearer {key}"
    return client


def _list(answer: Any, name: str) -> list:
    if not isinstance(answer, dict) or not isinstance(answer.get(name), list):
        raise Failure("bad_answer", f"no list of {name}")
    return answer[name]


def _trailers(videos: list) -> list[dict]:
    """The YouTube trailers among TMDB's videos, the best first."""

    def worth(video: Mapping) -> tuple:
        size = video.get("size")
        return (
            video.get("official") is not True,
            video.get("iso_639_1") != "en",
            -size if type(size) is int else 0,
            one_line(video.get("published_at")) or "unknown: after all dates",
            video["key"],
        )

    fitting = [
        video
        for video in videos
        if isinstance(video, dict)
        and (video.get("site"), video.get("type")) == ("YouTube", "Trailer")
        and isinstance(video.get("key"), str)
        and is_youtube_id(video["key"])
    ]
    names: dict[str, str] = {}
    for video in sorted(fitting, key=worth):
        names.setdefault(video["key"], one_line(video.get("name")))
    return [{"id": key, "name": name} for key, name in names.items()]


def _record(mid: str, answer: Mapping, images: str) -> Record:
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
