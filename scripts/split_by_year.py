"""Divide the movies into training, validation and test by year."""

from trailers12k.common.vocabulary import GENRES
from trailers12k.jobs.context import run_job


def main() -> None:
    import numpy as np

    from trailers12k.settings import load
    from trailers12k.splits import by_year
    from trailers12k.workflow.movie_list import MovieList
    from trailers12k.workflow.split_check import write_split_products

    configured = load(snakemake.config)
    listed = MovieList(configured).listed(snakemake.params.movies, "mid", "genres", "year")
    labels = np.array([[int(genre in movie.genres) for genre in GENRES] for movie in listed])
    years = [movie.year for movie in listed]
    movies = by_year.assign_by_year([movie.mid for movie in listed], labels, years)
    output = snakemake.output
    write_split_products(configured, listed, movies, output.mtgc, output.balance)


if __name__ == "__main__":
    run_job(snakemake, main)
