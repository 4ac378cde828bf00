"""Plans runs with Snakemake's own objects, which show the params of every job."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snakemake.api import SnakemakeApi
from snakemake.settings.types import (
    ConfigSettings,
    DAGSettings,
    DeploymentSettings,
    OutputSettings,
    Quietness,
    ResourceSettings,
    StorageSettings,
    WorkflowSettings,
)

from trailers12k.features import store_index


@dataclass(frozen=True)
class PlannedJob:
    """A job of a plan. must_run: whether Snakemake would run it."""

    rule: str
    wildcards: tuple[tuple[str, str], ...]
    params: dict[str, Any]
    must_run: bool


def planned_jobs(folder: Path, config: Mapping[str, Any] | None = None) -> list[PlannedJob]:
    """The jobs of the default target, as `snakemake --dry-run` plans them in a folder."""
    before = os.getcwd()
    store_index.forget_looks()
    try:
        with SnakemakeApi(OutputSettings(quiet={Quietness.ALL}, dryrun=True)) as api:
            workflow = api.workflow(
                ResourceSettings(cores=1),
                ConfigSettings(config=dict(config or {})),
                StorageSettings(),
                WorkflowSettings(),
                DeploymentSettings(),
                folder / "Snakefile",
                workdir=folder,
            )
            # The parts of a dry run that come before it prints.
            planner = workflow.dag(DAGSettings()).workflow_api._workflow
            planner._prepare_dag(forceall=False, ignore_incomplete=True, lock_warn_only=True)
            planner._build_dag()
            return list(_jobs(planner.dag))
    finally:
        os.chdir(before)


def _jobs(dag) -> Iterator[PlannedJob]:
    for job in dag.jobs:
        wildcards = tuple(sorted(job.wildcards.items()))
        yield PlannedJob(job.rule.name, wildcards, dict(job.params.items()), dag.needrun(job))
