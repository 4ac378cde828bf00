"""Render the sample's trailers and posters of one shard, and write down their shots."""

from pathlib import Path

from trailers12k.jobs import job
from trailers12k.metadata import movies_of_shard
from trailers12k.sources import sample


def main() -> None:
    movies = movies_of_shard(
        snakemake.input.movies, snakemake.wildcards.shard, snakemake.params.shards
    )
    sample.render_shard(
        movies, Path("build/sample"), snakemake.params.seed, Path(snakemake.output.truth)
    )


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main()
