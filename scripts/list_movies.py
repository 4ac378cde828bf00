"""Write the movies that the configuration names to data/movies.csv."""

import logging

from trailers12k.jobs.context import job
from trailers12k.movies import movie_table
from trailers12k.settings import load
from trailers12k.workflow import folder
from trailers12k.workflow.movie_list import MovieList


def main() -> None:
    listed = MovieList(load(snakemake.config))
    movies = listed.listed(snakemake.params.movies, *movie_table.COLUMNS)
    folder.write_collection(snakemake.params.collection)
    movie_table.write_movies(snakemake.output.movies, movies)
    logging.info("%d movies", len(movies))


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input, snakemake.output):
        main()
