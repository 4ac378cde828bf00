"""The table of trailers: one row per movie with everything recorded about its trailer.

Reads movies.csv and ledgers; writes results/tables/trailers.csv. Must not know who reads the table.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trailers12k.common.files import write_csv
from trailers12k.common.movie import Movie
from trailers12k.common.vocabulary import OK, STREAM_INPUTS
from trailers12k.jobs.ledger import read_ledger, read_shard
from trailers12k.movies.movie_table import read_movies
from trailers12k.report.losses import MADE, Loss, follow, stages_of

TRAILERS = [
    *("mid", "title", "year", "genres", "status", "stage", "reason", "trailer", "video_title"),
    *("duration", "height", "width", "fps", "frames", "corrupt", "shots", "clips", "repeated"),
    *("black", "still", "frozen", "sha256", "file_flags"),
]
"""Columns of trailers.csv. file_flags: words of `video_flags.FLAGS`, joined by `|`. A column that
no ledger fills yet is empty."""
FROM_DOWNLOAD = ("duration", "height", "width", "fps", "frames", "corrupt", "sha256")
FROM_CLIPS = ("shots", "clips", "repeated", "black", "still", "frozen")

Row = Mapping[str, str]


def trailer_rows(
    movies: Sequence[Movie],
    lost: Mapping[str, Loss],
    downloaded: Iterable[Row],
    cut: Iterable[Row],
) -> list[dict[str, str]]:
    """Rows of trailers.csv, by mid.

    lost: of `follow`. downloaded, cut: rows of the ledgers of trailers and clips.
    """
    files = {row["mid"]: row for row in downloaded if row["status"] == OK}
    measured = {row["mid"]: row for row in cut if row["status"] == OK}
    rows = []
    for movie in movies:
        file, clips = files.get(movie.mid, {}), measured.get(movie.mid, {})
        stage, status, reason = lost.get(movie.mid, ("", OK, ""))
        row = {"mid": movie.mid, "title": movie.title, "year": movie.year}
        row |= {"genres": "|".join(movie.genres), "status": status, "stage": stage}
        row |= {"reason": reason, "trailer": _trailer_of(movie, file)}
        row |= {"video_title": file.get("title", "")}
        row |= {name: file.get(name, "") for name in FROM_DOWNLOAD}
        row |= {"file_flags": file.get("flags", "")}
        rows.append(row | {name: clips.get(name, "") for name in FROM_CLIPS})
    return sorted(rows, key=lambda row: row["mid"])


@dataclass(frozen=True)
class TrailerFiles:
    """The files that describe the trailers of a run.

    movies, ledger: data/movies.csv, data/ledger.csv. downloaded, cut: the shards' ledgers of
    trailers and of clips. stores: the stores that runs use -> their `input`.
    """

    movies: str | Path
    ledger: str | Path
    downloaded: Sequence[str | Path]
    cut: Sequence[str | Path]
    stores: Mapping[str, str]


def list_trailers(path: str | Path, files: TrailerFiles) -> list[dict[str, str]]:
    """Writes trailers.csv, and returns its rows; see `trailer_rows`.

    Stores of posters do not count: a movie without a poster still has its trailer.
    """
    movies = read_movies(files.movies)
    of_posters = STREAM_INPUTS["poster"]
    order = [*MADE, *(store for store, kind in files.stores.items() if kind != of_posters)]
    lost = follow([movie.mid for movie in movies], stages_of(read_ledger(files.ledger)), order)
    downloaded, cut = (
        [row for path in paths for row in read_shard(path)]
        for paths in (files.downloaded, files.cut)
    )
    rows = trailer_rows(movies, lost, downloaded, cut)
    write_csv(path, TRAILERS, rows)
    return rows


def _trailer_of(movie: Movie, file: Row) -> str:
    """The trailer that was downloaded, as the movie table names it: a YouTube id or an address."""
    if not file:
        return ""
    named = [movie.trailer_url or movie.youtube_id, *movie.other_trailers]
    named = [text for text in named if text]
    place = int(file.get("trailer") or 0)
    return named[place] if place < len(named) else file.get("address", "")
