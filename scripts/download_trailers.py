"""Fetch and verify the trailers of one shard."""

from pathlib import Path

from trailers12k.downloads import trailers as download
from trailers12k.jobs import ledger
from trailers12k.jobs.context import job
from trailers12k.settings import load
from trailers12k.workflow.download_plan import download_settings
from trailers12k.workflow.movie_list import MovieList


def main() -> None:
    settings, shard = load(snakemake.config), snakemake.wildcards.shard
    rows = download.trailers_of_shard(
        MovieList(settings).listed(
            snakemake.params.movies, "mid", "trailer_addresses", shard=shard
        ),
        download_settings(settings, "trailers"),
        Path("build/trailers"),
        shard,
        snakemake.params.retry_round,
    )
    ledger.write_shard(snakemake.output.ledger, rows, download.TRAILER_COLUMNS)


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
