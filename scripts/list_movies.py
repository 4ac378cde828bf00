"""Write the movies that the configuration names to data/movies.csv."""

import logging

from trailers12k.jobs.context import job
from trailers12k.movies import movie_table
from trailers12k.workflow.plan import Plan


def main() -> None:
    movies = Plan(snakemake.config).listed(snakemake.params.movies, *movie_table.COLUMNS)
    movie_table.write_movies(snakemake.output.movies, movies)
    logging.info("%d movies", len(movies))


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
