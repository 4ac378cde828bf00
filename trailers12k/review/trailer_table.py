"""The table of trailers: one row per movie with everything known of its trailer.

Reads ledgers and movies; writes results/tables/trailers.csv. Must not know who reads the table.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from trailers12k.common.files import read_csv, write_csv
from trailers12k.common.movie import Movie
from trailers12k.movies.metadata import read_movies
from trailers12k.report.losses import MADE, Lost, follow, stages_of

TRAILERS = [
    *("mid", "title", "year", "genres", "status", "stage", "reason", "trailer", "video_title"),
    *("duration", "height", "width", "fps", "frames", "corrupt", "shots", "clips", "repeated"),
    *("black", "still", "frozen", "sha256"),
]


def trailers(
    movies: Sequence[Movie],
    lost: Lost,
    downloaded: Iterable[Mapping[str, str]],
    cut: Iterable[Mapping[str, str]],
) -> list[dict]:
    """Rows of trailers.csv, by mid: what is known of every movie's trailer, empty where nothing is.

    lost: of `follow`. downloaded, cut: rows of the ledgers of trailers and clips.
    """
    fetched = {row["mid"]: row for row in downloaded if row["status"] == "ok"}
    measured = {row["mid"]: row for row in cut if row["status"] == "ok"}
    of_file = ("duration", "height", "width", "fps", "frames", "corrupt", "sha256")
    of_clips = ("shots", "clips", "repeated", "black", "still", "frozen")
    rows = []
    for movie in movies:
        file, clips = fetched.get(movie.mid, {}), measured.get(movie.mid, {})
        stage, status, reason = lost.get(movie.mid, ("", "ok", ""))
        row = {"mid": movie.mid, "title": movie.title, "year": movie.year}
        row |= {"genres": "|".join(movie.genres), "status": status, "stage": stage}
        row |= {"reason": reason, "trailer": _used(movie, file)}
        row |= {"video_title": file.get("title", "")}
        row |= {name: file.get(name, "") for name in of_file}
        rows.append(row | {name: clips.get(name, "") for name in of_clips})
    return sorted(rows, key=lambda row: row["mid"])


def list_trailers(
    path: str | Path,
    movies: str | Path,
    ledger: str | Path,
    downloaded: Iterable[str | Path],
    cut: Iterable[str | Path],
    stores: Mapping[str, str],
) -> list[dict]:
    """Write trailers.csv, and return its rows (of `trailers`).

    movies, ledger: data/movies.csv, data/ledger.csv. downloaded, cut: the shards' ledgers of
    trailers and of clips. stores: that runs use, store -> its `input`. A movie without a poster
    loses no trailer, so stores of posters do not count.
    """
    listed = read_movies(movies)
    order = [*MADE, *(store for store, kind in stores.items() if kind != "posters")]
    lost = follow([movie.mid for movie in listed], stages_of(read_csv(ledger)), order)
    several = [[row for path in paths for row in read_csv(path)] for paths in (downloaded, cut)]
    rows = trailers(listed, lost, *several)
    write_csv(path, TRAILERS, rows)
    return rows


def _used(movie: Movie, file: Mapping[str, str]) -> str:
    """The trailer that was used, as the table names it: a YouTube id or an address."""
    if not file:
        return ""
    named = [movie.trailer_url or movie.youtube_id, *movie.other_trailers]
    named = [text for text in named if text]
    place = int(file.get("trailer") or 0)
    return named[place] if place < len(named) else file.get("address", "")
