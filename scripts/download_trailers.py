"""Fetch and verify the trailers of one shard."""

from pathlib import Path

from trailers12k import download, ledger
from trailers12k.jobs import job
from trailers12k.metadata import movies_of_shard


def main() -> None:
    output = Path(snakemake.output.ledger)
    movies = movies_of_shard(
        snakemake.input.movies, snakemake.wildcards.shard, snakemake.params.shards
    )
    rows = download.trailers_of_shard(
        movies,
        snakemake.params.settings,
        records=output.with_suffix(""),
        folder=Path("build/trailers"),
    )
    ledger.write_shard(output, rows, download.TRAILER_COLUMNS)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main()
