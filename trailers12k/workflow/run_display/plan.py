"""The jobs that Snakemake plans, as plain values: of which stage, for which movies, and why.

Reads Snakemake's graph of jobs, and looks which movies have records. Must not import Snakemake,
which waits while this runs.
"""

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trailers12k.common.movie import Movie
from trailers12k.workflow.run_display.stages import OF_MOVIES, place_of, stage_of
from trailers12k.workflow.run_status import DOWNLOADS

CODE, MOVIES, SETTINGS = "changed code", "changed movies", "changed settings"
CAUSE_OF_PARAM = {
    "code": CODE,
    "movies": MOVIES,
    "labels": MOVIES,
    "decided": "changed decisions",
    "rejected": "changed decisions",
    "retry_round": "retries due",
    "repairs": "damaged features",
}
"""Param of a rule, or key of one -> the cause when it changes; others are settings."""

MOST_NAMED = 3
"""Settings that a cause names."""


@dataclass(frozen=True)
class PlannedJob:
    """A job of this run.

    number: Snakemake's number of it. movies: of its shard; empty for a job that is not of movies.
    causes: why it runs; empty if only because an earlier job runs, whose result may turn out
    unchanged. log: its log file. collects: whether its result decides which jobs follow.
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


def planned_jobs(dag: Any, shards: Mapping[str, Sequence[Movie]]) -> list[PlannedJob]:
    """The jobs of a run, in the order of the stages. shards: shard -> its movies.

    dag: Snakemake's graph. Rules that only name targets are left out.
    """
    jobs = [_planned(dag, job, shards) for job in dag.needrun_jobs() if job.output]
    return sorted(jobs, key=lambda job: (job.place, job.stage, job.rule, job.name))


def _planned(dag: Any, job: Any, shards: Mapping[str, Sequence[Movie]]) -> PlannedJob:
    rule, wildcards = job.rule.name, dict(job.wildcards_dict)
    listed = shards.get(wildcards.get("shard", ""), ()) if rule in OF_MOVIES else ()
    mids = tuple(movie.mid for movie in listed)
    stage = stage_of(rule, wildcards)
    return PlannedJob(
        number=str(dag.jobid(job)),
        rule=rule,
        stage=stage,
        place=place_of(rule),
        name=" ".join([rule, *map(str, wildcards.values())]),
        movies=mids,
        causes=tuple(_causes(dag.reason(job), job, _new(stage, mids))),
        log=str(job.log[0]) if job.log else "",
        collects=bool(job.rule.is_checkpoint),
    )


def _new(stage: str, mids: Iterable[str]) -> int:
    """How many movies of a stage of downloads have no record."""
    folder = DOWNLOADS.get(stage)
    return sum(not (folder / f"{mid}.json").exists() for mid in mids) if folder else 0


def _causes(reason: Any, job: Any, new: int) -> Iterator[str]:
    """The causes of a job's own, in words."""
    if reason.forced:
        yield "requested"
    if reason.missing_output:
        yield "not made yet" if set(job.output) <= reason.missing_output else "missing files"
    if reason.incomplete_output:
        yield "unfinished files"
    if reason.updated_input - reason.updated_input_run:
        yield "changed files"
    if reason.input_changed:
        yield "other input files"
    if reason.code_changed or reason.software_stack_changed:
        yield CODE
    if reason.params_changed:
        change = reason.params_changed
        for cause in causes_of_params(dict(job.params.items()), change.only_old, change.only_new):
            yield f"new movies: {new}" if cause == MOVIES and new else cause


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
        if isinstance(value, Mapping) and old:
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
