"""From the files of a finished run to the facts of a publication.

Reads data/, results/ and the records of downloads in build/. Must not know the formats in which a
publication says the facts.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import combinations
from pathlib import Path
from typing import Any

from trailers12k.common.bounded_files import shown_path
from trailers12k.common.errors import UserError
from trailers12k.common.files import csv_rows, inside, read_csv, reading
from trailers12k.common.movie import Movie
from trailers12k.common.reason_words import meaning, phrase
from trailers12k.common.vocabulary import GENRES, OK, PUBLISHED, SUBSETS
from trailers12k.features.store_attributes import attributes
from trailers12k.jobs.ledger import read_ledger
from trailers12k.jobs.runner import read_record
from trailers12k.movies.movie_table import read_movies
from trailers12k.movies.sources.credits import credits_of
from trailers12k.publish import biases, duplicates, known_attributes, licences
from trailers12k.publish.addresses import public
from trailers12k.publish.facts import (
    Creator,
    Facts,
    Loss,
    Statements,
    StoreFacts,
    Subset,
)
from trailers12k.publish.local_paths import file_name, without_paths
from trailers12k.publish.packing.tables import SPLIT_COLUMNS
from trailers12k.settings import Settings
from trailers12k.settings.files import read_file

Rows = Sequence[Mapping[str, str]]

NEEDED = (
    *("data/movies.csv", "data/mtgc.csv", "data/clips.csv", "data/ledger.csv"),
    *("data/metadata.json", "results/config.yaml", "results/summary.csv", "results/splits.csv"),
    *("results/summary.md", "results/transfer/tst.csv", "results/transfer/val.csv"),
    *("results/leaderboard.csv", "results/transfer/intervals.csv"),
    "results/transfer/comparisons.csv",
    *("results/tables/trailers.csv", "results/tables/versions.csv"),
)
"""Files of a finished run without which nothing can be said."""
ZERO_SHOT = "results/zero_shot.json"
"""In a publication: run -> its record."""
DOWNLOADS = ("build/trailers", "build/posters")
"""Folders with a record for each movie, which holds the time of its last download."""
PROGRAM = re.compile(r"(.+) (\d[\w.+-]*)")
"""A program with its version, as ledgers and stores name it."""

MEANINGS = {
    "corrected": "A person chose the trailer, so no search was made.",
    "corrected_to_none": "A person decided that the movie has no trailer.",
    "no_sound": "The trailer has nothing to hear: no sound track, silence, or a damaged one; "
    "sound.csv.gz says which.",
    "no_weights": "The pretrained weights of this store could not be obtained.",
    "rejected": "A reviewer rejected the movie.",
    "unsafe_address": "The address, or one that it leads to, belongs to a local network, or a "
    "redirect leaves the web.",
    "geo_blocked": "The video is not shown in the country where the dataset was collected.",
}
"""Reason -> its meaning, where that of the ledger addresses the person who runs the workflow."""


def facts(settings: Settings, folder: str | Path = ".") -> Facts:
    """The facts of the finished run in a folder.

    settings: of its config.yaml; they name a store, since every run uses one. Raises `UserError`
    where the run has not finished.
    """
    folder = Path(folder)
    check(settings, folder)
    movies = read_movies(folder / "data/movies.csv")
    labels = _labels(folder)
    ledger = read_ledger(folder / "data/ledger.csv")
    trailers = [row for row in ledger if row["stage"] == "trailers" and row["status"] == OK]
    manifests = {store: _manifest(folder, store) for store in settings.backbones}
    stores = [
        _store(folder, store, manifest, _losses_of(ledger, store))
        for store, manifest in manifests.items()
    ]
    complete = set.intersection(*({*manifest} for manifest in manifests.values()))
    first = next(iter(manifests.values()))
    genres = {genre: sum(row[genre] == "1" for row in labels) for genre in GENRES}
    decided = _decided(folder)
    in_table = len({*decided} & {movie.mid for movie in movies})
    addresses = sum(_is_online(movie) for movie in movies)
    subsets = list(_subsets(labels))
    years = _decades(movie.year for movie in movies)
    began, ended = _days(folder, (movie.mid for movie in movies))
    pairs = _pairs(labels)
    return Facts(
        statements=statements(settings),
        movies=len(movies),
        labelled=len(labels),
        trailers=len(trailers),
        complete=len(complete),
        clips=_clips(folder),
        seconds=_seconds(folder),
        years=years,
        genres=genres,
        pairs=pairs,
        losses=_losses(ledger),
        decisions=dict(sorted(Counter(decided.values()).items())),
        decided=in_table,
        addresses=addresses,
        began=began,
        ended=ended,
        stores=stores,
        subsets=subsets,
        results=without_paths(read_csv(folder / "results/summary.csv", ["run", "uap"])),
        settings=without_paths(read_file(folder / "results/config.yaml")),
        sources=[file_name(name) for name in settings.movies],
        credits=credits(settings),
        versions=_versions(folder, ledger),
        notes=[
            *biases.sentences(
                biases.Counts(
                    movies=len(movies),
                    labelled=len(labels),
                    trailers=len(trailers),
                    genres=genres,
                    pairs=pairs,
                    years=years,
                    decided=in_table,
                    is_online=addresses > 0,
                ),
                subsets,
            ),
            *duplicates.sentences(trailers, labels),
        ],
        example=min(complete or {*first}, default=""),
    )


def zero_shot_records(settings: Settings) -> dict[str, str]:
    """Run without training -> its record."""
    runs = [run for run, own in settings.runs.items() if own.zero_shot]
    return {run: f"results/runs/{run}/zero_shot.json" for run in runs}


def check(settings: Settings, folder: Path) -> None:
    """Raise `UserError` where a file of the finished run is missing."""
    stores = [
        name
        for store in settings.backbones
        for name in (f"data/{store}.csv", f"data/{store}.zarr/.zattrs")
    ]
    for name in (*NEEDED, *stores, *zero_shot_records(settings).values()):
        if not (folder / name).is_file():
            raise UserError(f"{name} is missing: the run has not finished; run: trailers12k run")


def statements(settings: Settings) -> Statements:
    """What the authors wrote; empty texts where they wrote nothing."""
    own = settings.publish
    values: dict[str, Any] = {
        name: getattr(own, name) or "" for name in type(own).model_fields if name != "creators"
    }
    creators = tuple(
        Creator(name, each.affiliation or "", each.orcid or "")
        for name, each in own.creators.items()
    )
    return Statements(
        **values
        | {"creators": creators, "keywords": tuple(own.keywords)}
        | {"frames": own.frames, "frame_side": own.frame_side}
    )


def credits(settings: Settings) -> list[str]:
    """The notices that the sources of movies and splits demand."""
    return credits_of([*settings.movies, *_split_source(settings)])


def _labels(folder: Path) -> Rows:
    """The rows of mtgc.csv."""
    return read_csv(
        folder / "data/mtgc.csv", ["mid", *GENRES], numbers=[*GENRES, *SPLIT_COLUMNS], key=["mid"]
    )


def _manifest(folder: Path, store: str) -> dict[str, int]:
    """The movies of a store: mid -> rows."""
    path = inside(folder / "data", f"{store}.csv")
    rows = read_csv(path, ["mid", "clips"], counts=["clips"], key=["mid"])
    return {row["mid"]: int(row["clips"] or 0) for row in rows}


def _store(
    folder: Path, name: str, manifest: Mapping[str, int], lost: Mapping[str, int]
) -> StoreFacts:
    path = inside(folder / "data", f"{name}.zarr")
    written = attributes(path)
    try:
        own = known_attributes.of_store(written)
    except ValueError as error:
        raise UserError(f"{shown_path(path)}: {error}; run: trailers12k verify") from None
    return StoreFacts(
        name=name,
        input=str(own.get("input", "")),
        features=own["num_features"],
        movies=len(manifest),
        rows=sum(manifest.values()),
        model=str(own.get("backbone", "")),
        weights=str(own.get("weights", "")),
        weights_source=str(own.get("weights_source", "")),
        licence=licences.of_store(own),
        attributes=own,
        lost=lost,
    )


def _losses_of(ledger: Rows, stage: str) -> dict[str, int]:
    """Reason -> movies that a stage lost."""
    lost = (row for row in ledger if row["stage"] == stage and row["status"] != OK)
    return dict(sorted(Counter(row["reason"] or "unknown" for row in lost).items()))


def _losses(ledger: Rows) -> list[Loss]:
    """The losses of all stages, in the order of the ledger, the most frequent first."""
    stages = list(dict.fromkeys(row["stage"] for row in ledger))
    found: dict[tuple[str, str, str], set[str]] = {}
    for row in ledger:
        if row["status"] != OK:
            key = (row["stage"], row["status"], row["reason"] or "unknown")
            found.setdefault(key, set()).add(row["mid"])
    ordered = sorted(
        found.items(), key=lambda each: (stages.index(each[0][0]), -len(each[1]), each[0])
    )
    return [Loss(*key, len(mids), _meaning(key[2]), frozenset(mids)) for key, mids in ordered]


def _meaning(reason: str) -> str:
    return MEANINGS.get(reason) or meaning(reason) or f"{phrase(reason).capitalize()}."


def _decided(folder: Path) -> dict[str, str]:
    """mid -> kind of decision; also of movies that were rejected."""
    path = folder / "data/curation.csv"
    rows = read_csv(path, ["mid", "decision"]) if path.exists() else []
    return {row["mid"]: row["decision"] for row in rows}


def _is_online(movie: Movie) -> bool:
    """Whether movies.csv.gz has an address of the movie's trailer or poster."""
    own = (movie.youtube_id, movie.trailer_url, movie.poster_url, *movie.other_trailers)
    return any(public(address) for address in own if address)


def _clips(folder: Path) -> int:
    path = folder / "data/clips.csv"
    with reading(path):
        return sum(1 for _ in csv_rows(path, ["mid", "clip"]))


def _seconds(folder: Path) -> float:
    """The length of all whole trailers."""
    rows = read_csv(folder / "results/tables/trailers.csv", ["mid", "duration"], ["duration"])
    return sum(float(row["duration"] or 0) for row in rows)


def _decades(years: Iterable[str]) -> dict[int, int]:
    """First year of a decade -> movies; movies without a year are left out."""
    known = [int(year) for year in years if year.isascii() and year.isdecimal()]
    return dict(sorted(Counter(year - year % 10 for year in known).items()))


def _pairs(labels: Rows) -> dict[tuple[str, str], int]:
    """Two genres -> movies with both, in the order of `GENRES`; also pairs that no movie has."""
    return {
        (one, other): sum(row[one] == row[other] == "1" for row in labels)
        for one, other in combinations(GENRES, 2)
    }


def _subsets(labels: Rows) -> Iterable[Subset]:
    """The subsets of the splits that mtgc.csv has."""
    for column in SPLIT_COLUMNS:
        if not labels or column not in labels[0]:
            continue
        for number, name in enumerate(SUBSETS):
            rows = [row for row in labels if row[column] == str(number)]
            shares = {
                genre: sum(row[genre] == "1" for row in rows) / max(1, len(rows))
                for genre in GENRES
            }
            yield Subset(column, name, len(rows), shares)


def _days(folder: Path, mids: Iterable[str]) -> tuple[date | None, date | None]:
    """The first and the last day on which a trailer or poster was downloaded, in UTC.

    Of the records' own times: a copy, a restored version and a repaired store change the times of
    files, and a rerun that changes nothing those of logs and benchmarks. A movie that was
    downloaded twice counts by the last time. None without records, as in a clone.
    """
    mids = list(mids)
    times = [
        record.time
        for downloads in DOWNLOADS
        if (folder / downloads).is_dir()
        for mid in mids
        if (record := read_record(folder / downloads, mid)) and record.time > 0
    ]
    if not times:
        return None, None
    began, ended = (datetime.fromtimestamp(time, UTC).date() for time in (min(times), max(times)))
    return began, ended


def _split_source(settings: Settings) -> list[str]:
    return [PUBLISHED] if settings.splits == PUBLISHED else []


def _versions(folder: Path, ledger: Rows) -> dict[str, str]:
    """Program -> its version; several are joined by `, `."""
    found: dict[str, list[str]] = {}
    rows = read_csv(folder / "results/tables/versions.csv", ["what", "made_by"])
    tools = sorted({row.get("tool") or "" for row in ledger})
    for made_by in (*(row["made_by"] for row in rows), *tools):
        for program in without_paths(made_by).split(", "):
            if (match := PROGRAM.fullmatch(program)) and match[2] not in found.get(match[1], []):
                found.setdefault(match[1], []).append(match[2])
    return {name: ", ".join(versions) for name, versions in sorted(found.items())}
