"""The movies of a run, by shard, and the decisions about them.

Reads the movie tables, or the table that collect_movies writes, and curation.csv. Must not know
rules.
"""

from collections.abc import Callable, Iterable, Sized
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from typing import Any

from trailers12k.common import product_records
from trailers12k.common.errors import UserError
from trailers12k.common.fingerprint import fingerprint
from trailers12k.common.local_files import LocalFile, fault_of, local_path
from trailers12k.common.movie import Movie, shard_of
from trailers12k.common.vocabulary import FILLING, OK, PUBLISHED, SAMPLE, SOURCES
from trailers12k.jobs.runner import read_record
from trailers12k.movies import curation
from trailers12k.movies.curation import AppliedDecisions, Decision
from trailers12k.movies.movie_table import read_movies
from trailers12k.movies.sources import records, table
from trailers12k.movies.sources.collection import CollectedMovies, collect, drained
from trailers12k.movies.sources.records import Record, check_complete, combine
from trailers12k.settings import Settings
from trailers12k.splits.modes import BY_YEAR
from trailers12k.splits.years import check_years
from trailers12k.workflow.source_plan import own_tables, source_settings

COLLECTED = "build/sources/movies.csv"
RECORDS = "build/sources/records.json"
REJECTED = "build/sources/rejected.json"
"""What the checkpoint collect_movies writes."""

MOST_NAMED = 10
"""Movies that a message names."""

MIN_MOVIES = 10
"""The three splits assign movies in tenths."""

InputFunction = Callable[[Any], Any]
"""What Snakemake calls with a job's wildcards."""


@dataclass(frozen=True)
class Listing:
    """The movies at one moment.

    movies: sorted by mid. shards: name of each shard that has movies -> its movies. rejected: mid
    -> title of the movies that a decision rejects.
    """

    movies: list[Movie]
    shards: dict[str, list[Movie]]
    rejected: dict[str, str]


class MovieList:
    """The movies of the configured sources.

    Local tables and the sample are read while Snakemake plans, so that a dry run sees every change.
    Other sources are slow or remote: the checkpoint collect_movies reads them, and what depends on
    the movies is planned after it.
    """

    def __init__(self, settings: Settings, checks: bool = True):
        """Raises `UserError` for movies that cannot be read, and for fewer than `MIN_MOVIES`.

        checks: False in a job's own Snakemake on a cluster. Its run has checked the movies, and
            each job would read all of them again, though few need any: they are read when needed.
        """
        self._settings = settings
        self._listed: tuple[tuple[int, ...], Listing] | None = None
        self.wait: Callable[[], object] = lambda: None
        """Set by the Snakefile: raises Snakemake's exception until collect_movies has run."""
        self.curation = curation.existing_file(settings.curation, settings.movies)
        """The path of the decisions about movies; None if the file is absent."""
        if checks:
            self._check()

    def _check(self) -> None:
        _ = self.decisions
        for path in (COLLECTED, RECORDS, REJECTED) if self.must_collect else ():
            product_records.check(path)
        if not (self.must_collect or self._settings.is_published):
            self.check_number(self.movies)
            self.check_years(self.movies)

    @property
    def must_collect(self) -> bool:
        """Whether a job must collect the movies, because a source is slow or remote."""
        remote = set(SOURCES) - {SAMPLE, PUBLISHED}
        return bool(remote & set(self._settings.movies))

    @property
    def decided(self) -> AppliedDecisions:
        """The decisions about movies of the list, and about movies that they reject from it."""
        listing = self._listing()
        titles = {movie.mid: movie.title for movie in listing.movies} | listing.rejected
        mids = sorted(titles.keys() & self.decisions.keys())
        return [(self.decisions[mid], titles[mid]) for mid in mids]

    @property
    def unused_decisions(self) -> str:
        """One line that counts the decisions about no movie of the list; empty without any."""
        if self.must_collect and not Path(COLLECTED).exists():
            return ""
        mids = curation.without_movie(self.decisions, self.decided)
        if not mids:
            return ""
        named = ", ".join(mids[:MOST_NAMED]) + (", ..." if len(mids) > MOST_NAMED else "")
        verb = "decision concerns" if len(mids) == 1 else "decisions concern"
        return f"{self.curation}: {len(mids)} {verb} no movie of the collection: {named}"

    @property
    def movies(self) -> list[Movie]:
        """All movies, sorted by mid; empty until they are collected."""
        return self._listing().movies

    @property
    def shards(self) -> dict[str, list[Movie]]:
        """Name of each shard that has movies -> its movies."""
        return self._listing().shards

    @property
    def records(self) -> list[records.Record]:
        """All that the sources say about the movies."""
        return records.read_records(RECORDS) if self.must_collect else self._read().records

    def check_number(self, movies: Sized) -> None:
        """Raises `UserError` for movies that are too few to split."""
        if len(movies) < MIN_MOVIES:
            left = f", without those that {self.curation} rejects" if self.rejected else ""
            raise UserError(
                f"movies: {' + '.join(self._settings.movies)} has {len(movies)} movies{left}; "
                f"allowed: at least {MIN_MOVIES}, for three splits"
            )

    def check_years(self, movies: Iterable[Movie]) -> None:
        """Raise `UserError` for movies of too few years where splits are by year."""
        if self._settings.splits == BY_YEAR:
            check_years(movie.year for movie in movies)

    def check_tables(self) -> None:
        """Raise `UserError` for faults of the user's tables that otherwise collect_movies reports.

        A later source may complete a movie, or add movies: what is missing is a fault only where
        none can.
        """
        if not self.must_collect:
            return
        movies: dict[str, Record] = {}
        local_files = self._settings.downloads.local_files
        for path, rows in self._table_records.items():
            combine(movies, path, rows, True, local_files)
        left = [movie for mid, movie in movies.items() if mid not in self.rejected]
        others = set(self._settings.movies) - self._table_records.keys()
        if others <= {"search"}:
            for movie in left:
                check_complete(movie)
        if others <= set(FILLING):
            self.check_number(left)

    def check_local_files(self) -> None:
        """Raise `UserError` for files of this machine that the tables name and that are missing.

        A file from which a trailer or poster was made before may be missing.
        """
        if not self._settings.downloads.local_files or self._settings.is_sample:
            return
        named = [file for rows in self._table_records.values() for file in table.local_files(rows)]
        named += curation.local_files(self.curation) if self.curation else []
        missing = [
            (file, fault) for file in named if (fault := fault_of(file.path)) and not _is_made(file)
        ]
        if missing:
            file, fault = missing[0]
            raise UserError(
                f"{file.where}: {file.column}: {file.path} {fault}; {len(missing)} of {len(named)} "
                "local files cannot be read (a path in a table starts in the table's folder)"
            )

    def rows(self, *fields: str, shard: str | None = None) -> str:
        """A hash of some fields of all movies, or of one shard's.

        As a param it makes a job run again exactly when these fields change: a new movie reruns its
        own shard only, and a dry run shows that.
        """
        movies = self.movies if shard is None else self.shards.get(shard, [])
        return fingerprint(rows=list(map(attrgetter(*fields), movies)))

    def listed(self, expected: str, *fields: str, shard: str | None = None) -> list[Movie]:
        """The movies of a shard, or all, for a job that was planned when `rows` was `expected`.

        Raises `UserError` if the movies have changed since then.
        """
        if self.rows(*fields, shard=shard) != expected:
            raise UserError("the movie table has changed since this run began; start it again")
        return self.movies if shard is None else self.shards.get(shard, [])

    # Input functions and params of rules.

    def tables(self, wildcards: Any) -> list[str]:
        """Input: the files that list the movies.

        Wrap it in `ancient`: `rows` decides what runs again. Never data/movies.csv, because
        Snakemake does not compare a rule's params while a job that makes one of its inputs, even
        an ancient one, is about to run; a new movie would then wait for the next run.
        """
        if self.must_collect:
            self.wait()
            return [COLLECTED]
        return own_tables(self._settings)

    def after_collection(self, products: InputFunction) -> InputFunction:
        """An input function that depends on the movies, evaluated once these are collected."""

        def wait_first(wildcards: Any) -> Any:
            self.wait()
            return products(wildcards)

        return wait_first if self.must_collect else products

    def per_shard(self, *patterns: str) -> InputFunction:
        """Input: patterns of paths, once for each {shard} that has movies.

        The other wildcards of a pattern are the job's own.
        """

        def paths(wildcards: Any) -> list[str]:
            own = dict(wildcards.items())
            return [
                pattern.format(**own, shard=shard) for pattern in patterns for shard in self.shards
            ]

        return self.after_collection(paths)

    def rows_of(self, *fields: str) -> Callable[[Any], str]:
        """Param: `rows` of the job's shard, or of all movies for a job without one."""

        def rows(wildcards: Any) -> str:
            return self.rows(*fields, shard=getattr(wildcards, "shard", None))

        return rows

    def decision_rows(self, wildcards: Any) -> str:
        """Param: a hash of the decisions about movies of the list."""
        return _hash_of(self.decided)

    def rejection_rows(self, wildcards: Any) -> str:
        """Param: a hash of the decisions that reject movies."""
        return _hash_of(pair for pair in self.decided if pair[0].rejects)

    @cached_property
    def _table_records(self) -> dict[str, list[Record]]:
        """Path of each of the user's tables -> its rows. Raises `UserError`."""
        return {path: table.read({"path": path}, {})[0] for path in own_tables(self._settings)}

    @property
    def rejected(self) -> set[str]:
        """The mids of the movies that a decision rejects."""
        return {mid for mid, decision in self.decisions.items() if decision.rejects}

    @cached_property
    def decisions(self) -> dict[str, Decision]:
        """mid -> decision, including movies that are not in the list. Raises `UserError`."""
        if self.curation is None:
            return {}
        local_files = self._settings.is_sample or self._settings.downloads.local_files
        return curation.read(self.curation, local_files)

    def _read(self) -> CollectedMovies:
        settings = self._settings
        local_files = settings.downloads.local_files
        return collect(settings.movies, source_settings(settings), self.decisions, local_files)

    def _listing(self) -> Listing:
        # The table is written while Snakemake waits for it.
        version = _file_version(COLLECTED) if self.must_collect else ()
        if self._listed is None or self._listed[0] != version:
            self._listed = version, self._new_listing(bool(version))
        return self._listed[1]

    def _new_listing(self, is_collected: bool) -> Listing:
        movies: list[Movie] = []
        rejected: list[records.Record] = []
        if is_collected:
            movies = read_movies(COLLECTED)
            rejected = records.read_records(REJECTED) if Path(REJECTED).exists() else []
        elif not (self.must_collect or self._settings.is_published):
            collected = self._read()
            movies = list(map(records.movie_of, drained(collected.records)))
            rejected = collected.rejected
        titles = {record.mid: record.title for record in rejected}
        return Listing(movies, _by_shard(movies, self._settings.shards), titles)


def _hash_of(decided: Iterable[tuple[Decision, str]]) -> str:
    return fingerprint(rows=[[*vars(decision).values(), title] for decision, title in decided])


def _by_shard(movies: Iterable[Movie], number: int) -> dict[str, list[Movie]]:
    shards: dict[str, list[Movie]] = {}
    for movie in movies:
        shards.setdefault(shard_of(movie.mid, number), []).append(movie)
    return dict(sorted(shards.items()))


def _is_made(file: LocalFile) -> bool:
    """Whether an earlier run made the trailer or poster of a movie."""
    stage = "posters" if file.column == "poster_url" else "trailers"
    record = read_record(Path("build") / stage, file.mid)
    if record is None or record.row["status"] != OK:
        return False
    first = file.column in ("trailer_url", "replacement")
    return not first or local_path(record.row.get("address") or "") == file.path


def _file_version(path: str) -> tuple[int, ...]:
    """Modification time and size of a file; empty if it is absent."""
    try:
        state = Path(path).stat()
    except FileNotFoundError:
        return ()
    return state.st_mtime_ns, state.st_size
