"""Divide the movies into training, validation and test by year."""

import logging

from trailers12k.common.files import write_csv
from trailers12k.common.vocabulary import GENRES
from trailers12k.jobs.context import run_job


def main() -> None:
    import numpy as np

    from trailers12k.settings import load
    from trailers12k.splits import assignment, by_year, tables
    from trailers12k.workflow.movie_list import MovieList
    from trailers12k.workflow.split_check import address_sentences

    configured = load(snakemake.config)
    listed = MovieList(configured).listed(snakemake.params.movies, "mid", "genres", "year")
    labels = np.array([[int(genre in movie.genres) for genre in GENRES] for movie in listed])
    years = [movie.year for movie in listed]
    movies = by_year.assign_by_year([movie.mid for movie in listed], labels, years)
    # Trainings refuse such a split, hours later.
    for sentence in address_sentences(configured, listed, movies.mids, movies.columns):
        logging.warning("%s", sentence)
    tables.write_splits(snakemake.output.mtgc, movies.mids, GENRES, movies.labels, movies.columns)
    rows = assignment.balance(movies.labels, GENRES, movies.by_name)
    write_csv(snakemake.output.balance, list(rows[0]), rows)


if __name__ == "__main__":
    run_job(snakemake, main)
