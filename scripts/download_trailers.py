"""Fetch and verify the trailers of one shard."""

from pathlib import Path

from trailers12k import download, ledger
from trailers12k.jobs import job
from trailers12k.plan import Plan


def main() -> None:
    movies = Plan(snakemake.config).listed(
        snakemake.params.movies, "mid", "trailer_address", shard=snakemake.wildcards.shard
    )
    rows = download.trailers_of_shard(
        movies,
        snakemake.params.settings,
        folder=Path("build/trailers"),
    )
    ledger.write_shard(snakemake.output.ledger, rows, download.TRAILER_COLUMNS)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main()
