"""Collects movies: reads the sources in their order, combines them, applies people's decisions.

Reads what the sources read; writes the collected movies and records. Must not know what is done
with the movies, nor the configuration's structure.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from trailers12k.common.errors import UserError
from trailers12k.common.movie import Movie
from trailers12k.common.vocabulary import FILLING, SAMPLE, SOURCES
from trailers12k.downloads import retries
from trailers12k.downloads.bounds import USUAL, Bounds
from trailers12k.downloads.stop_signal import SharedStopSignal
from trailers12k.jobs.ledger import LedgerRow
from trailers12k.movies.curation import STAGE, Decision, effects
from trailers12k.movies.movie_table import write_movies
from trailers12k.movies.sources.records import (
    Record,
    check_complete,
    combine,
    movie_of,
    write_records,
)
from trailers12k.movies.sources.services import ServiceJob

log = logging.getLogger(__name__)

SOURCE_MODULES = {
    "sample": "trailers12k.movies.sources.sample",
    "table": "trailers12k.movies.sources.table",
    "trailers12k": "trailers12k.movies.sources.trailers12k",
    "imdb": "trailers12k.movies.sources.imdb",
    "tmdb": "trailers12k.movies.sources.tmdb",
    "search": "trailers12k.movies.sources.search",
}
"""Source -> its module. Each has `read(settings, earlier)`, where `earlier` holds the records of
the sources before it, mid -> record; those that query a service also take a `ServiceJob`. `read`
returns the source's records and its ledger rows (empty for sources without a ledger)."""

FOLDER = Path("build/sources")
"""Holds one folder of answers per service."""


def source_key(source: str) -> str:
    """The key of a source in `SOURCE_MODULES`: a name of `SOURCES`, or `table` for a path."""
    return source if source in SOURCES else "table"


@dataclass
class CollectedMovies:
    """The result of reading the sources.

    records: the movies, sorted by mid. rejected: the movies that people's decisions reject, for
    which no service was queried. ledgers: source -> ledger rows, for sources that have a ledger.
    """

    records: list[Record]
    rejected: list[Record] = field(default_factory=list)
    ledgers: dict[str, list[LedgerRow]] = field(default_factory=dict)


@dataclass(frozen=True)
class RetryPolicy:
    """When failed requests to a service are repeated.

    retries: immediate retries. timeout: seconds to wait for an answer. first_pause: seconds until
    the first retry in a later run. retry: the reasons that the user wants retried now; see
    `downloads.retries.is_due`. bounds: of one request.
    """

    retries: int
    timeout: float
    first_pause: float
    retry: str = ""
    bounds: Bounds = USUAL


def collect(
    sources: Sequence[str],
    settings: Mapping[str, Mapping[str, Any]],
    decisions: Mapping[str, Decision] | None = None,
    local_files: bool = False,
    services: Mapping[str, ServiceJob] | None = None,
) -> CollectedMovies:
    """The movies of all sources, after people's decisions.

    Later sources fill the gaps of earlier ones. Movies are added by the sample, by tables and by
    trailers12k, and by imdb where it is the first source; tmdb and search add none.

    sources: names of `SOURCES`, or paths of tables. settings: source -> its settings, which are
        described in the `read` of its module. decisions: mid -> decision.
    local_files: whether trailers and posters may be files of this machine.
    services: source -> how to query it, for sources of `FILLING`.
    Raises `UserError`.
    """
    decisions = decisions or {}
    records: dict[str, Record] = {}
    ledgers: dict[str, list[LedgerRow]] = {}
    from_tables: set[str] = set()  # those that lack a title or genres there
    rejected = {mid for mid, decision in decisions.items() if decision.rejects}
    for position, source in enumerate(sources):
        key = source_key(source)
        module = import_module(SOURCE_MODULES[key])
        own = settings.get(source, {})
        if source in FILLING:
            earlier = {mid: record for mid, record in records.items() if mid not in rejected}
            additions, rows = module.read(own, earlier, (services or {})[source])
        else:
            own = {"path": source} if key == "table" else {**own, "local_files": local_files}
            additions, rows = module.read(own, records)
        adds = source not in FILLING and (source != "imdb" or position == 0)
        name = Path(source).stem if key == "table" else source
        if key == "table":
            from_tables |= {each.mid for each in additions if not (each.title and each.genres)}
        combine(records, name, drained(additions), adds, local_files or source == SAMPLE)
        if rows:
            ledgers[source] = rows
    left = [records.pop(mid) for mid in sorted(rejected & records.keys())]
    _drop_incomplete(records, from_tables)
    for mid in effects(decisions).keys() & records.keys():
        records[mid] = _after_decision(records[mid], decisions[mid])
    return CollectedMovies([records[mid] for mid in sorted(records)], left, ledgers)


def _drop_incomplete(records: dict[str, Record], from_tables: set[str]) -> None:
    """Remove movies without a title or a genre, with a warning.

    Raises `UserError` for one that a user's table names: the user can correct that file, unlike a
    published one.
    """
    incomplete = [mid for mid, each in records.items() if not (each.title and each.genres)]
    for mid in sorted(incomplete):
        try:
            check_complete(records[mid])
        except UserError as error:
            if mid in from_tables:
                raise
            log.warning("left out: %s", error)
            del records[mid]


def _after_decision(record: Record, decision: Decision) -> Record:
    """A record with the trailers that a decision leaves it."""
    origin = dict(record.origin)
    trailers = decision.apply(record.trailers)
    if not trailers:
        origin.pop("trailers", None)
    elif decision.replacement:
        origin["trailers"] = STAGE
    return replace(record, trailers=trailers, origin=origin)


def collect_from_services(
    sources: Sequence[str],
    settings: Mapping[str, Mapping[str, Any]],
    retry_rounds: Mapping[str, int],
    policy: RetryPolicy,
    decisions: Mapping[str, Decision] | None = None,
    local_files: bool = False,
) -> CollectedMovies:
    """`collect` in a job that may query services; records the open failures for later runs.

    retry_rounds: source -> number of its retry round, for each source that queries a service.
    """
    services = {}
    for source in retry_rounds:
        folder = FOLDER / source
        folder.mkdir(parents=True, exist_ok=True)
        retry = retries.retry_rule(retries.on_the_web, policy.first_pause, policy.retry)
        stop = SharedStopSignal(folder)
        services[source] = ServiceJob(
            folder, policy.retries, policy.timeout, retry, stop, policy.bounds
        )
    collected = collect(sources, settings, decisions, local_files, services)
    for source, service in services.items():
        rows = collected.ledgers.get(source, [])
        retries.write_open(service.folder, "all", retry_rounds[source], rows)
    return collected


def drained(records: list[Record]) -> Iterator[Record]:
    """The records of a list, each removed from it. A million movies are not kept in two forms."""
    records.reverse()
    while records:
        yield records.pop()


def movies_of(collected: CollectedMovies) -> list[Movie]:
    """The collected movies as rows of the movie table."""
    return list(map(movie_of, collected.records))


def write(
    collected: CollectedMovies, movies: str | Path, records: str | Path, rejected: str | Path
) -> None:
    """Write the movies as a table, and the records of all and of the rejected ones as JSON."""
    write_records(records, collected.records)
    write_records(rejected, collected.rejected)
    write_movies(movies, movies_of(collected))
