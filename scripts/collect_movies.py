"""Collect the movies of all sources into one table, and everything that the sources state."""

import logging

from trailers12k.downloads.addresses import Private
from trailers12k.downloads.bounds import Bounds
from trailers12k.jobs import ledger
from trailers12k.jobs.context import job
from trailers12k.movies.sources import collection
from trailers12k.settings import load
from trailers12k.workflow.movie_list import MovieList
from trailers12k.workflow.source_plan import SourcePlan, source_settings


def main() -> None:
    settings = load(snakemake.config)
    listed, plan, downloads = MovieList(settings), SourcePlan(settings), settings.downloads
    collected = collection.collect_from_services(
        settings.movies,
        source_settings(settings),
        snakemake.params.settings["retry_rounds"],
        collection.RetryPolicy(
            downloads.retries,
            downloads.timeout,
            downloads.retry_pause,
            settings.retry,
            Bounds(
                1000 * downloads.least_rate,
                downloads.most_time,
                Private.ALWAYS if downloads.private_addresses else Private.NAMED,
            ),
        ),
        listed.decisions,
        downloads.local_files,
    )
    movies = collection.movies_of(collected)
    listed.check_number(movies)
    listed.check_years(movies)
    for name, path in zip(plan.recorded, snakemake.output.ledgers, strict=True):
        rows = collected.ledgers.get(name, [])
        ledger.write_shard(path, rows)
        logging.info("%s: %s", name, ledger.count(rows))
    output = snakemake.output
    collection.write(collected, output.movies, output.records, output.rejected)
    logging.info("%d movies, %d rejected", len(collected.records), len(collected.rejected))


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input, snakemake.output):
        main()
