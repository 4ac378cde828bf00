"""Render the sample's trailers and posters of one shard, and write down their shots."""

from pathlib import Path

from trailers12k.jobs.context import job
from trailers12k.movies.sources import sample_rendering
from trailers12k.settings import load
from trailers12k.workflow.movie_list import MovieList


def main() -> None:
    movies = MovieList(load(snakemake.config)).listed(
        snakemake.params.movies, "mid", "title", "year", "genres", shard=snakemake.wildcards.shard
    )
    sample_rendering.render_shard(
        movies,
        Path("build/sample"),
        snakemake.params.seed,
        snakemake.params.code,
        Path(snakemake.output.truth),
    )


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input, snakemake.output):
        main()
