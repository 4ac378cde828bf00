"""Ends a run in which a stage leaves no movie, and says at the end of a failed run where to look.

Reads the ledgers of a stage's shards. Must not know rules.
"""

import textwrap
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path

from trailers12k.common.errors import UserError
from trailers12k.common.text import one_line
from trailers12k.common.vocabulary import FAILED, OK
from trailers12k.downloads import retries
from trailers12k.downloads.stop_signal import stop_reason
from trailers12k.features.weights_record import NO_WEIGHTS
from trailers12k.jobs import ledger
from trailers12k.settings import Settings
from trailers12k.workflow.download_plan import retry_round
from trailers12k.workflow.feature_plan import FeaturePlan
from trailers12k.workflow.loss_sentences import loss_sentences
from trailers12k.workflow.movie_list import MovieList
from trailers12k.workflow.user_errors import STOPPED

JOBS_FAILED = (
    "some jobs failed: their messages and log files are listed above, and trailers12k status shows "
    "how far each stage is; the same command continues the run"
)

PREDICTION = {"fetch_trailer", "predict_trailer"}
"""The rules of rules/predictions.smk."""
PREDICTION_FAILED = (
    "the prediction failed: its message and log file are listed above; correct the cause, then run "
    "the same command again"
)

LONGEST = 200
"""Characters of the quoted failure, which is cut between words."""

Rows = Sequence[Mapping[str, str]]


def require_movies(settings: Settings, stage: str, rows: Rows) -> None:
    """Raise `UserError` in a job of one shard when no shard has a movie to go on with.

    stage: trailers or clips. rows: of the job's own shard. While another shard has yet to be
    finished, or is about to be tried again, the job goes on with nothing.
    """
    if _any_ok(rows) or not needs_trailers(settings):
        return
    movies = MovieList(settings)
    paths = [Path(f"build/ledger/{stage}/{shard}.csv") for shard in movies.shards]
    if len(paths) > 1 and not all(_is_current(settings, movies, path) for path in paths):
        return
    require_any(stage, paths)


def require_any(stage: str, paths: Iterable[str | Path]) -> None:
    """Raise `UserError` when no row of a stage's ledgers is ok: why, by reason, and where to look.

    paths: the ledgers of all shards.
    """
    rows = list(chain.from_iterable(map(ledger.read_shard, paths)))
    if _any_ok(rows):
        return
    ledger.check(ledger.failures({"stage": stage} | row for row in rows), 1, stop_reason())
    failed = next((row for row in rows if row["status"] == FAILED), None)
    detail = textwrap.shorten(failed["detail"], LONGEST, placeholder=" ...") if failed else ""
    example = f"; for example {failed['mid']}: {one_line(detail)}" if failed else ""
    raise UserError(
        f"{stage}: no movie is left: {ledger.count(rows)} of {len(rows)} movies"
        f"{example}; see build/ledger/{stage}/ and trailers12k status, correct the "
        "table or what it names, then run the same command again (--config retry=all repeats "
        "every failure)"
    )


def require_weights(store: str, paths: Iterable[str | Path]) -> None:
    """Raise `UserError` when a store was not computed for lack of its weights: why.

    paths: the ledgers of all shards.
    """
    if lacking := _without_weights(paths):
        raise UserError(f"{store} has no weights: {lacking['detail']}; every run tries again")


def _without_weights(paths: Iterable[str | Path]) -> Mapping[str, str] | None:
    """The first row of a movie without features for lack of weights."""
    rows = chain.from_iterable(map(ledger.read_shard, paths))
    return next((row for row in rows if row["reason"] == NO_WEIGHTS), None)


def error_words(
    settings: Settings, movies: MovieList, made: Collection[str], failed: Collection[str]
) -> str:
    """What a run that did not succeed prints last: why its first empty stage ended it, where to
    look, or that it was stopped.

    Where jobs failed, it counts the movies that were lost so far, since these may be why. made: the
    files of the run that are up to date. A stage is empty if all its ledgers are among them, and no
    movie is ok. failed: rules whose jobs failed; without any, the run was stopped.
    """
    if not failed:
        return f"error: {STOPPED}"
    if PREDICTION.issuperset(failed):
        return f"error: {PREDICTION_FAILED}"
    stages = ["trailers", "clips"] if needs_trailers(settings) else []
    lacking = []
    try:
        for stage in [*stages, *sorted(used_stores(settings))]:
            paths = [f"build/ledger/{stage}/{shard}.csv" for shard in movies.shards]
            if paths and all(path in made for path in paths):
                if _without_weights(paths):
                    lacking.append(stage)
                else:
                    require_any(stage, paths)
    except UserError as error:
        return f"error: {error}"
    if lacking:
        more = f" (and {len(lacking) - 1} more)" if len(lacking) > 1 else ""
        return (
            f"error: {lacking[0]}{more} has no weights, as listed above: set weights_from, the "
            "store's file or weights: random, or set the store and its runs to null; then run again"
        )
    rows = _rows_so_far(settings, movies)
    losses = "; ".join(each.removesuffix(".") for each in loss_sentences(rows, settings.backbones))
    return f"error: {JOBS_FAILED}{f' ({losses})' if losses else ''}"


def _rows_so_far(settings: Settings, movies: MovieList) -> list[dict[str, str]]:
    """The rows of the finished ledgers of all stages, about listed movies, each with its stage."""
    rows = []
    for stage in FeaturePlan(settings).stages:
        for shard, listed in movies.shards.items():
            path = Path(f"build/ledger/{stage}/{shard}.csv")
            mids = {movie.mid for movie in listed}
            with suppress(FileNotFoundError, UserError):  # a job that reads a damaged one says so
                read = ledger.read_shard(path)
                rows += [{"stage": stage, **row} for row in read if row["mid"] in mids]
    return rows


def needs_trailers(settings: Settings) -> bool:
    """Whether any store is of trailers, not of posters."""
    return any(backbone.input != "posters" for backbone in settings.backbones.values())


def used_stores(settings: Settings) -> set[str]:
    """The stores that a run trains on."""
    return {store for run in settings.runs.values() for store in run.streams.values()}


def _any_ok(rows: Rows) -> bool:
    return any(row["status"] == OK for row in rows)


def _is_current(settings: Settings, movies: MovieList, path: Path) -> bool:
    """Whether a shard's ledger exists and no job of this run is about to replace it."""
    trailers = Path("build/ledger/trailers", path.name)
    if not (path.exists() and trailers.exists()):
        return False
    tables = [Path(table) for table in movies.tables(None)]
    tables += [Path(movies.curation)] if movies.curation else []
    written = trailers.stat().st_mtime_ns
    if any(table.stat().st_mtime_ns > written for table in tables):
        return False
    folder, shard = Path("build/trailers"), path.stem
    last = retries.last_retry_round(folder, shard)
    return retry_round(settings, folder.as_posix(), shard) == last
