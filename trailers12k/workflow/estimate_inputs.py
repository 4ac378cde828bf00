"""What an estimate is computed from: the collection's size, and this machine's figures.

Reads movie tables, ledgers of finished shards, benchmarks/, build/estimate.json and the package's
figures. Must not know the formulas.
"""

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from trailers12k.common.bounded_files import read_small
from trailers12k.common.errors import UserError
from trailers12k.common.files import inside, read_csv
from trailers12k.common.local_files import local_path
from trailers12k.common.movie import Movie
from trailers12k.common.vocabulary import FILLING, OK, STREAM_INPUTS
from trailers12k.common.youtube import is_youtube
from trailers12k.evaluation.rows import BASELINES
from trailers12k.features.backbones.sound_spec import SoundSpec
from trailers12k.features.backbones.spec import BackboneSpec
from trailers12k.jobs.ledger import read_shard
from trailers12k.jobs.outcome import read_outcome
from trailers12k.movies.sources import table
from trailers12k.movies.sources.sample import BROKEN
from trailers12k.settings import Settings, plain
from trailers12k.settings.published_files import LABELS
from trailers12k.workflow import measured
from trailers12k.workflow.estimate import Collection, backbone_name
from trailers12k.workflow.feature_plan import EXTRACTION, FeaturePlan
from trailers12k.workflow.movie_list import COLLECTED, MovieList
from trailers12k.workflow.source_plan import own_tables

PAPER_MOVIES = 12_000
RULES = {"trailers": "download_trailers", "clips": "detect_clips"}
"""Stage -> the rule whose jobs' benchmarks count; groups of stores have theirs in
benchmarks/extract_features/GROUP."""
IDLE = 0.2
"""Share of the largest CPU time of a movie below which a shard's job had nothing to do."""
LEAST = 5
"""Movies that a stage must have finished before its own figures count."""


@dataclass(frozen=True)
class Figures:
    """Figures for `estimate`, what was measured in this folder, and in words where and when.

    per_movie: see `estimate.estimate`.
    """

    figures: Mapping[str, float]
    per_movie: Mapping[str, float]
    origin: str


def figures(settings: Settings) -> Figures:
    """The best figures that there are. Raises `UserError`."""
    general, own = measured.shipped("estimate"), measured.own()
    per_movie = _per_movie(settings)
    source = own or general
    origin = f"measured on {source.date}, {source.machine}"
    if own is None and general.machine != measured.machine():
        origin += "; not on this machine: trailers12k estimate --measure"
    modern = measured.shipped("modern")
    used = {backbone_name(settings, store) for store in settings.backbones}
    if theirs := used & {*modern.figures} - {*(own.figures if own else ())}:
        origin += f"; {len(theirs)} newer encoders on {modern.date}, {modern.machine}"
    if per_movie:
        stages = [stage for stage in RULES if stage in per_movie]
        stores = len(per_movie) - len(stages)
        stages += [f"{stores} store{'s' if stores > 1 else ''}"] if stores else []
        origin += f"; from this folder's finished jobs: {', '.join(stages)}"
    values = shipped_figures() | dict(own.figures if own else {})
    return Figures(values, per_movie, origin)


def shipped_figures() -> dict[str, float]:
    """The figures of the package, of which those of baselines have a benchmark of their own."""
    fits = measured.shipped("baselines").figures
    baselines = {name: fits[f"{name}_feature"] for name in BASELINES}
    modern = measured.shipped("modern").figures
    return baselines | dict(modern) | dict(measured.shipped("estimate").figures)


def collection(settings: Settings, movies: int | None) -> Collection:
    """The size of this folder's collection; as if it had `movies` movies, if given.

    Raises `UserError` where nothing tells the number.
    """
    if settings.is_sample:
        count = settings.sample.movies + len(BROKEN) if movies is None else movies
        size = Collection(count, youtube=0, web=count, seconds=4.3, clips=4.0)
    elif settings.is_published:
        if movies is not None:
            raise UserError(
                "estimate: --movies does not apply to movies: published, whose archives are "
                "fetched whole; leave it out"
            )
        size = Collection(_published_movies(settings), 0, 0)
    else:
        size = _of_sources(settings, movies)
    return _as_measured(size)


def _published_movies(settings: Settings) -> int:
    """The movies of a published record, from its labels where they are on this machine."""
    folder = local_path(settings.published.files)
    for path in (*([inside(folder, LABELS)] if folder else []), Path("build/published", LABELS)):
        if path.is_file():
            return len(read_csv(path, ["mid"], key=["mid"]))
    return PAPER_MOVIES


def backbone_specs(settings: Settings, hub: bool = False) -> dict[str, BackboneSpec | SoundSpec]:
    """The backbones to measure, by the names of their figures.

    hub: also those of the hub, whose random weights are of a small network: the size of their own
    is in their repository.
    """
    stores = [] if settings.is_published else list(settings.backbones)
    return {
        backbone_name(settings, store): _spec(plain(settings.backbone(store)))
        for store in stores
        if hub or not settings.backbones[store].model.startswith("hf/")
    }


def _spec(backbone: Mapping[str, Any]) -> BackboneSpec | SoundSpec:
    kind = SoundSpec if backbone["input"] == STREAM_INPUTS["audio"] else BackboneSpec
    names = {field.name for field in fields(kind)}
    return kind(**{key: value for key, value in backbone.items() if key in names})


def _of_sources(settings: Settings, movies: int | None) -> Collection:
    listed = MovieList(settings)
    known = listed.movies
    if not known:
        return _uncollected(settings, movies)
    count = len(known) if movies is None else movies
    share = count / len(known)
    return Collection(
        count,
        youtube=round(share * sum(_is_on_youtube(movie) for movie in known)),
        web=round(share * sum(_is_on_the_web(movie) for movie in known)),
        posters=round(share * sum(_has_web_poster(movie) for movie in known)),
    )


def _uncollected(settings: Settings, movies: int | None) -> Collection:
    """The size before the sources are read: their tables give the number, YouTube the trailers."""
    rows = [row for path in own_tables(settings) for row in table.read({"path": path}, {})[0]]
    count = len({row.mid for row in rows})
    others = set(settings.movies) - set(own_tables(settings)) - set(FILLING)
    if "trailers12k" in others:
        count = max(count, PAPER_MOVIES)
    if movies is None and others - {"trailers12k"}:
        raise UserError(
            f"the number of movies of {' + '.join(settings.movies)} is unknown before they are "
            f"collected ({COLLECTED}); name it: trailers12k estimate --movies N"
        )
    count = count if movies is None else movies
    return Collection(count, youtube=count, web=0)


def _is_on_youtube(movie: Movie) -> bool:
    first = movie.trailer_addresses[:1]
    return bool(first) and is_youtube(first[0])


def _is_on_the_web(movie: Movie) -> bool:
    first = movie.trailer_addresses[:1]
    return bool(first) and not is_youtube(first[0]) and local_path(first[0]) is None


def _has_web_poster(movie: Movie) -> bool:
    return bool(movie.poster_url) and local_path(movie.poster_url) is None


def _as_measured(size: Collection) -> Collection:
    """The size with the trailers' own length and clips, where shards are finished."""
    seconds = [float(row["duration"]) for row in _finished("trailers") if row.get("duration")]
    clips = [int(row["clips"]) for row in _finished("clips") if row.get("clips")]
    if len(seconds) >= LEAST and len(clips) >= LEAST:
        return replace(
            size,
            seconds=sum(seconds) / len(seconds),
            clips=sum(clips) / len(clips),
            measured=len(seconds),
        )
    return size


def _finished(stage: str) -> list[dict[str, str]]:
    """The rows that are ok of all shards' ledgers."""
    paths = sorted(Path("build/ledger", stage).glob("*.csv"))
    return [row for path in paths for row in read_shard(path) if row["status"] == OK]


def _per_movie(settings: Settings) -> dict[str, float]:
    """Stage -> CPU seconds of a movie in the jobs of this folder."""
    found = {stage: _seconds(stage, Path("benchmarks", rule)) for stage, rule in RULES.items()}
    for group in FeaturePlan(settings).groups:
        # One job computes the features of all stores of a group: each has an equal share.
        folder = Path("benchmarks", EXTRACTION, group.name)
        if (seconds := _seconds(group.stores[0], folder)) is not None:
            found |= dict.fromkeys(group.stores, seconds / len(group.stores))
    return {stage: seconds for stage, seconds in found.items() if seconds is not None}


def _seconds(stage: str, folder: Path) -> float | None:
    jobs: list[tuple[float, int]] = []
    for path in sorted(folder.glob("*.tsv")):
        ledger = Path("build/ledger", stage, f"{path.stem}.csv")
        movies = sum(r["status"] == OK for r in read_shard(ledger)) if ledger.exists() else 0
        cpu = _cpu_time(path)
        if movies and cpu is not None:
            jobs.append((cpu, movies))
    most = max((cpu / movies for cpu, movies in jobs), default=0.0)
    busy = [(cpu, movies) for cpu, movies in jobs if cpu / movies >= IDLE * most]
    movies = sum(count for _, count in busy)
    return sum(cpu for cpu, _ in busy) / movies if movies >= LEAST and most > 0 else None


def _cpu_time(benchmark: Path) -> float | None:
    """The CPU seconds of a job, or of the work whose result it put back; None where Snakemake could
    not measure them."""
    outcome = read_outcome(Path("logs", *benchmark.parts[1:]))
    try:
        if outcome and outcome.cost:
            return float(outcome.cost["cpu_seconds"])
        lines = read_small(benchmark).decode().splitlines()
        seconds = float(list(csv.DictReader(lines, delimiter="\t"))[-1]["cpu_time"])
    except (OSError, IndexError, KeyError, TypeError, ValueError, csv.Error):
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
