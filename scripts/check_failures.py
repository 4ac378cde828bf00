"""Count the failures of some stages; fail when there are too many, or downloads were stopped."""

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

from trailers12k.common.files import write_csv
from trailers12k.downloads import stop_signal
from trailers12k.jobs import ledger
from trailers12k.jobs.context import job


def rows_of(paths: Iterable[str]) -> Iterator[dict[str, str]]:
    """The rows of ledgers with their stage, which that of all stages tells itself."""
    for path in paths:
        for row in ledger.read_shard(path):
            yield {"stage": Path(path).parent.name} | row


def main() -> None:
    asked = ledger.failures(rows_of(snakemake.input.sources))
    sources = {row["stage"] for row in asked}
    rows = rows_of(snakemake.input.ledgers)
    found = ledger.failures(row for row in rows if row["stage"] not in sources)
    for row in (*asked, *found):
        logging.info("%(stage)s: %(failed)d of %(tried)d failed  %(reasons)s", row)
    stopped = stop_signal.stop_reason()
    # That a source does not know a movie is no failure of the run.
    ledger.check(asked, 1, stopped)
    ledger.check(found, snakemake.params.most, stopped)
    write_csv(snakemake.output.failures, list(found[0]), [*asked, *found])


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
