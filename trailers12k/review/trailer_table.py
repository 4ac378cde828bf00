"""The table of trailers: one row per movie with everything recorded about its trailer.

Reads movies.csv, clips.csv, ledgers and the store of speech; writes results/tables/trailers.csv.
Must not know who reads the table.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from trailers12k.common.files import write_csv
from trailers12k.common.movie import Movie
from trailers12k.common.vocabulary import OK, STREAM_INPUTS
from trailers12k.jobs.ledger import read_ledger, read_shard
from trailers12k.movies.movie_table import read_movies
from trailers12k.report.losses import MADE, Loss, follow, stages_of
from trailers12k.review.speech import speech_shares
from trailers12k.video.no_sound import NO_SOUND, NO_SOUND_KINDS

TRAILERS = [
    *("mid", "title", "year", "genres", "status", "stage", "reason", "trailer", "video_title"),
    *("duration", "height", "width", "fps", "frames", "corrupt", "shots", "clips", "repeated"),
    *("black", "still", "frozen", "sound", "loudness", "silence", "speech"),
    *("sha256", "file_flags"),
]
"""Columns of trailers.csv. sound: `ok`, or one of `NO_SOUND_KINDS`. speech: of `speech_shares`.
file_flags: words of `video_flags.FLAGS`, joined by `|`. A column that no ledger fills yet is
empty."""
FROM_DOWNLOAD = ("duration", "height", "width", "fps", "frames", "corrupt", "sha256")
FROM_CLIPS = ("shots", "clips", "repeated", "black", "still", "frozen")
FROM_SOUND = ("loudness", "silence")

Row = Mapping[str, str]


@dataclass(frozen=True)
class TrailerMeasures:
    """What is known about trailers.

    downloaded, cut, heard: rows of the ledgers of trailers, clips and sound. speech: mid -> the
    share of a trailer that is speech, 0 to 1.
    """

    downloaded: Iterable[Row] = ()
    cut: Iterable[Row] = ()
    heard: Iterable[Row] = ()
    speech: Mapping[str, float] = field(default_factory=dict)


def trailer_rows(
    movies: Sequence[Movie], lost: Mapping[str, Loss], known: TrailerMeasures
) -> list[dict[str, str]]:
    """Rows of trailers.csv, by mid.

    lost: of `follow`.
    """
    files = {row["mid"]: row for row in known.downloaded if row["status"] == OK}
    measured = {row["mid"]: row for row in known.cut if row["status"] == OK}
    sounds = {row["mid"]: row for row in known.heard}
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
        row |= {name: clips.get(name, "") for name in FROM_CLIPS}
        rows.append(row | _sound_columns(sounds.get(movie.mid), known.speech.get(movie.mid)))
    return sorted(rows, key=lambda row: row["mid"])


def _sound_columns(heard: Row | None, speech: float | None) -> dict[str, str]:
    """heard: the row of the ledger of sound, if there is one."""
    row = {"sound": "", **dict.fromkeys(FROM_SOUND, "")}
    if heard and heard["status"] == OK:
        row = {"sound": OK} | {name: heard.get(name, "") for name in FROM_SOUND}
    elif heard and heard.get("reason") == NO_SOUND:
        kind = heard.get("detail", "").partition(":")[0]
        row["sound"] = kind if kind in NO_SOUND_KINDS else "damaged"
    return row | {"speech": "" if speech is None else f"{speech:.3f}"}


@dataclass(frozen=True)
class TrailerFiles:
    """The files that describe the trailers of a run.

    movies, ledger: data/movies.csv, data/ledger.csv. downloaded, cut: the shards' ledgers of
    trailers and of clips. stores: the stores that runs use -> their `input`. heard: the shards'
    ledgers of sound. clips: data/clips.csv. speech: the store of speech activity, if there is one.
    """

    movies: str | Path
    ledger: str | Path
    downloaded: Sequence[str | Path]
    cut: Sequence[str | Path]
    stores: Mapping[str, str]
    heard: Sequence[str | Path] = ()
    clips: str | Path = "data/clips.csv"
    speech: Path | None = None


def list_trailers(path: str | Path, files: TrailerFiles) -> list[dict[str, str]]:
    """Writes trailers.csv, and returns its rows; see `trailer_rows`.

    Stores of posters and of sound do not count: without a poster, or without sound, a movie still
    has its trailer.
    """
    movies = read_movies(files.movies)
    of_pictures = STREAM_INPUTS["image"], STREAM_INPUTS["video"]
    order = [*MADE, *(store for store, kind in files.stores.items() if kind in of_pictures)]
    lost = follow([movie.mid for movie in movies], stages_of(read_ledger(files.ledger)), order)
    downloaded, cut, heard = (
        [row for path in paths for row in read_shard(path)]
        for paths in (files.downloaded, files.cut, files.heard)
    )
    speech = speech_shares(files.speech, files.clips) if files.speech else {}
    rows = trailer_rows(movies, lost, TrailerMeasures(downloaded, cut, heard, speech))
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
