"""Count the failures of some stages; fail when there are too many, or downloads were stopped."""

import logging
from pathlib import Path

from trailers12k import ledger, retries
from trailers12k.files import write_csv
from trailers12k.jobs import job


def main() -> None:
    asked, found = (
        ledger.failures((Path(path).parent.name, path) for path in paths)
        for paths in (snakemake.input.sources, snakemake.input.ledgers)
    )
    for row in (*asked, *found):
        logging.info("%(stage)s: %(failed)d of %(tried)d failed  %(reasons)s", row)
    stopped = retries.stopped()
    # That a source does not know a movie is no failure of the run.
    ledger.check(asked, 1, stopped)
    ledger.check(found, snakemake.params.most, stopped)
    write_csv(snakemake.output.failures, list(found[0]), [*asked, *found])


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main()
