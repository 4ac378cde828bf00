"""Collect the movies of all sources into one table, and all that is known of them."""

import logging
from pathlib import Path

from trailers12k import ledger, metadata, sources
from trailers12k.jobs import job
from trailers12k.plan import Plan, check_number
from trailers12k.sources import records


def main() -> None:
    plan = Plan(snakemake.config)
    rounds = snakemake.params.settings["rounds"]
    found, ledgers = sources.collect_all(plan.config, plan.source_files, rounds)
    movies = [records.movie_of(record) for record in found]
    check_number(movies, plan.config["movies"])
    for name, path in zip(plan.asking, snakemake.output.ledgers, strict=True):
        ledger.write_shard(path, ledgers.get(name, []))
        logging.info("%s: %s", name, ledger.count(ledgers.get(name, [])))
    records.write(snakemake.output.records, found)
    metadata.write_movies(Path(snakemake.output.movies), movies)
    logging.info("%d movies", len(movies))


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
