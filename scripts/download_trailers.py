"""Fetch and verify the trailers of one shard."""

from pathlib import Path

from trailers12k.downloads import trailers
from trailers12k.downloads.shard import Shard
from trailers12k.jobs import ledger
from trailers12k.jobs.context import job
from trailers12k.settings import load
from trailers12k.workflow.download_plan import download_settings
from trailers12k.workflow.movie_list import MovieList


def main() -> None:
    settings, shard = load(snakemake.config), snakemake.wildcards.shard
    rows = trailers.trailers_of_shard(
        Shard(
            MovieList(settings).listed(
                snakemake.params.movies, "mid", "trailer_addresses", shard=shard
            ),
            Path("build/trailers"),
            shard,
            snakemake.params.retry_round,
        ),
        download_settings(settings, "trailers"),
    )
    ledger.write_shard(snakemake.output.ledger, rows, trailers.TRAILER_COLUMNS)


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input, snakemake.output):
        main()
