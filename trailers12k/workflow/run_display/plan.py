"""The jobs that Snakemake plans, as plain values: of which stage, for which movies, and why.

Reads Snakemake's graph of jobs, which files exist, and tables of earlier runs. Must not import
Snakemake, which waits while this runs.
"""

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trailers12k.common.errors import UserError
from trailers12k.common.files import read_csv
from trailers12k.common.movie import Movie
from trailers12k.jobs.result_cache import forced_names, is_forced
from trailers12k.workflow.run_display.stages import OF_MOVIES, known_rule, place_of, stage_of
from trailers12k.workflow.run_status import DOWNLOADS

CODE, MOVIES, SETTINGS = "changed code", "changed movies", "changed settings"
NEW, DECISIONS = "new movies", "changed decisions"
UNFINISHED = "unfinished files"
CAUSE_OF_PARAM = {
    "code": CODE,
    "movies": MOVIES,
    "labels": MOVIES,
    "decided": DECISIONS,
    "rejected": DECISIONS,
    "retry_round": "retries due",
    "repairs": "damaged features",
    "attempts": "missing weights",
}
"""Param of a rule, or key of one -> the cause when it changes; others are settings."""

MOST_NAMED = 3
"""Settings that a cause names."""
TABLE = "data/movies.csv"
"""The movies of the last run that listed them."""


@dataclass(frozen=True)
class Movies:
    """The movies of a run.

    shards: shard -> its movies. rejected: mids of all movies that a decision rejects. groups: rule
    or store -> title of its group of stores, see `FeaturePlan.titles`.
    """

    shards: Mapping[str, Sequence[Movie]] = field(default_factory=dict)
    rejected: Collection[str] = ()
    groups: Mapping[str, str] = field(default_factory=dict)

    def mids(self, shard: str = "") -> tuple[str, ...]:
        """Of a shard; without one, of all."""
        listed = [self.shards.get(shard, ())] if shard else self.shards.values()
        return tuple(movie.mid for movies in listed for movie in movies)


@dataclass(frozen=True)
class PlannedJob:
    """A job of this run.

    number: Snakemake's number of it. movies: of its shard; empty for a job that is not of movies.
    causes: why it runs; empty if only because an earlier job runs, whose result may turn out
    unchanged. log: its log file. collects: whether its result decides which jobs follow. new: how
    many of its movies the earlier run did not have.
    """

    number: str
    rule: str
    stage: str
    place: int = 0
    name: str = ""
    movies: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    log: str = ""
    collects: bool = False
    new: int = 0


def planned_jobs(dag: Any, movies: Movies, explains: bool = False) -> list[PlannedJob]:
    """The jobs of a run, in the order of the stages.

    dag: Snakemake's graph. Rules that only name targets are left out. explains: whether to look for
    causes; only in a dry run, since Snakemake then keeps the params of jobs that have yet to run.
    """
    jobs = [_planned(dag, job, movies, explains) for job in dag.needrun_jobs() if job.output]
    return sorted(jobs, key=lambda job: (job.place, job.stage, job.rule, job.name))


def _planned(dag: Any, job: Any, movies: Movies, explains: bool) -> PlannedJob:
    rule, wildcards = job.rule.name, dict(job.wildcards_dict)
    known, shard = known_rule(rule, movies.groups), wildcards.get("shard", "")
    causes = dict.fromkeys(_causes(dag, job)) if explains else {}
    new: Collection[str] = ()
    if MOVIES in causes:
        # What was listed last, which the job may not have seen if the run was interrupted.
        earlier = _mids_of(job.output[0] if stage_of(rule, {}) in DOWNLOADS else TABLE)
        if earlier is not None:
            now = set(movies.mids(shard))
            gone = {*earlier} - {*movies.mids()}
            new = now - earlier
            rejected = gone & {*movies.rejected}
            del causes[MOVIES]
            causes |= dict.fromkeys([NEW] * bool(new) + [DECISIONS] * bool(rejected))
            if gone - rejected or not (new or rejected):
                causes[MOVIES] = None
    return PlannedJob(
        number=str(dag.jobid(job)),
        rule=rule,
        stage=stage_of(rule, wildcards, movies.groups),
        place=place_of(known),
        name=" ".join([rule, *map(str, wildcards.values())]),
        movies=movies.mids(shard) if known in OF_MOVIES and shard else (),
        causes=tuple(causes),
        new=len(new),
        log=str(job.log[0]) if job.log else "",
        collects=bool(job.rule.is_checkpoint),
    )


def _mids_of(table: str) -> set[str] | None:
    """The movies of a table of an earlier run; None when it cannot be read."""
    try:
        return {row["mid"] for row in read_csv(table)}
    except (OSError, ValueError, KeyError, UserError):
        return None


def _causes(dag: Any, job: Any) -> Iterator[str]:
    """The causes of a job's own, in words."""
    reason = dag.reason(job)
    if reason.forced:
        # Snakemake forces the jobs of files that a killed run left, too (--rerun-incomplete).
        forced = forced_names(dag.workflow.dag_settings)
        yield "requested" if is_forced(job.rule.name, job.output, forced) else UNFINISHED
    if reason.missing_output:
        # Snakemake names only files that another job needs.
        yield "missing files" if any(Path(path).exists() for path in job.output) else "not made yet"
    if reason.incomplete_output:
        yield UNFINISHED
    if reason.updated_input - reason.updated_input_run:
        yield "changed files"
    if reason.input_changed:
        yield "other input files"
    if reason.code_changed or reason.software_stack_changed:
        yield CODE
    if change := _params_change(dag, job):
        yield from causes_of_params(dict(job.params.items()), change.only_old, change.only_new)


def _params_change(dag: Any, job: Any) -> Any:
    """Snakemake's comparison of a job's params with those of its files; None if they are equal.

    Snakemake compares no params of a job that follows another one, since it runs in any case.
    """
    reason = dag.reason(job)
    if reason.params_changed or reason.missing_output or not reason.updated_input_run:
        return reason.params_changed
    try:
        return dag.workflow.persistence.params_changed(job)
    except Exception:  # a param may need a file that an earlier job has yet to make
        return None


def causes_of_params(
    params: Mapping[str, Any], only_old: Iterable[str], only_new: Collection[str]
) -> list[str]:
    """The causes behind changed params.

    params: of the job, by name. only_old, only_new: params of which only the earlier job, and only
    this one, has the value, by `repr`, as Snakemake records them.
    """
    old = [value for text in only_old if isinstance(value := _read(text), dict)]
    causes: dict[str, None] = {}
    settings: dict[str, None] = {}
    for name, value in params.items():
        if repr(value) not in only_new:
            continue
        changed = [name]
        if isinstance(value, Mapping) and old and name not in CAUSE_OF_PARAM:
            alike = max(old, key=lambda earlier: _common(earlier, value))
            changed = list(_differences(alike, value)) or [name]
        for key in changed:
            if key in CAUSE_OF_PARAM:
                causes[CAUSE_OF_PARAM[key]] = None
            else:
                settings[key] = None
    if settings or not causes:
        more = ", ..." if len(settings) > MOST_NAMED else ""
        named = ", ".join([*settings][:MOST_NAMED]) + more
        causes[f"{SETTINGS} ({named})" if named else SETTINGS] = None
    return list(causes)


def _read(text: str) -> Any:
    """A recorded value; None for one that cannot be read."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def _common(one: Mapping[str, object], other: Mapping[str, object]) -> int:
    """In how many entries two values agree, and in how many keys."""
    keys = one.keys() & other.keys()
    return len(keys) + sum(one[key] == other[key] for key in keys)


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """The keys, innermost, at which two values differ."""
    for key in [*new, *(key for key in old if key not in new)]:
        before, now = old.get(key), new.get(key)
        if isinstance(before, Mapping) and isinstance(now, Mapping):
            yield from _differences(before, now)
        elif before != now:
            yield str(key)
