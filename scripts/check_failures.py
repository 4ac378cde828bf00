"""Count the failures of some stages; fail when they are too many or downloads were stopped."""

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

from trailers12k.downloads.stop_signal import stop_reason
from trailers12k.jobs import ledger
from trailers12k.jobs.context import job
from trailers12k.workflow.stage_check import require_any


def rows_of(paths: Iterable[str]) -> Iterator[dict[str, str]]:
    """The rows of ledgers with their `stage`: that of a shard is the folder's name."""
    for path in paths:
        if Path(path) == Path("data/ledger.csv"):
            yield from ledger.read_ledger(path)
        else:
            yield from ({"stage": Path(path).parent.name, **row} for row in ledger.read_shard(path))


def main() -> None:
    sources = ledger.failures(rows_of(snakemake.input.sources))
    names = {source.stage for source in sources}
    rows = rows_of(snakemake.input.ledgers)
    stages = ledger.failures(row for row in rows if row["stage"] not in names)
    for each in (*sources, *stages):
        logging.info("%s: %d of %d failed  %s", each.stage, each.failed, each.tried, each.reasons)
    # A movie that a source does not have is no failure of the run.
    ledger.check(sources, 1, stop_reason())
    ledger.check(stages, snakemake.params.max_failure_rate, stop_reason())
    if snakemake.wildcards.stages == "trailers":
        require_any("trailers", snakemake.input.ledgers)
    ledger.write_failures(snakemake.output.failures, [*sources, *stages])


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input, snakemake.output):
        main()
