"""Stages that read the trailers of a shard in one job, each with its own ledger.

Writes the records of `jobs.runner`. Must not know what a stage does with a trailer.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from trailers12k.common.errors import Failure, Stop
from trailers12k.jobs import runner
from trailers12k.jobs.ledger import LedgerRow


class TrailerStage(Protocol):
    """A stage of a shard's trailers."""

    @property
    def stage(self) -> runner.Stage:
        """Its name and its tasks."""

    def work(self, mid: str) -> dict[str, Any]:
        """Make the products of one movie; the stage's columns of its row. Raises `Failure`."""

    def finish(self, rows: Sequence[LedgerRow]) -> None:
        """Write the products of the whole shard; remove those of movies that have left."""


def process_trailers(parts: Sequence[TrailerStage]) -> list[list[LedgerRow]]:
    """Do the tasks of several stages, movie by movie; the rows of each one's ledger.

    What fails in one stage does not concern the others.
    """
    stages = [part.stage for part in parts]
    by_name = {stage.name: part for stage, part in zip(stages, parts, strict=True)}

    def work(mid: str, names: list[str]) -> dict[str, dict[str, Any] | Failure]:
        made: dict[str, dict[str, Any] | Failure] = {}
        for name in names:
            try:
                made[name] = by_name[name].work(mid)
            except Stop:
                raise
            except Failure as failure:
                made[name] = failure
        return made

    rows = runner.process_together(stages, work, unit="trailer")
    for name, part in by_name.items():
        part.finish(rows[name])
    return [rows[stage.name] for stage in stages]
