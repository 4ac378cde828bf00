"""Collect the movies of all sources into one table, and all that is known of them."""

import logging
from pathlib import Path

from trailers12k.jobs import ledger
from trailers12k.jobs.context import job
from trailers12k.movies import metadata, sources
from trailers12k.movies.sources import records
from trailers12k.workflow.plan import Plan


def main() -> None:
    plan = Plan(snakemake.config)
    rounds = snakemake.params.settings["retry_rounds"]
    found = sources.collect_all(plan.config, plan.source_files, rounds, plan.decisions)
    movies = [records.movie_of(record) for record in found.records]
    plan.check_number(movies)
    for name, path in zip(plan.asking, snakemake.output.ledgers, strict=True):
        rows = found.ledgers.get(name, [])
        ledger.write_shard(path, rows)
        logging.info("%s: %s", name, ledger.count(rows))
    records.write(snakemake.output.records, found.records)
    records.write(snakemake.output.rejected, found.rejected)
    metadata.write_movies(Path(snakemake.output.movies), movies)
    logging.info("%d movies, %d rejected", len(movies), len(found.rejected))


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
