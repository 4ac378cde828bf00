"""Write the movies that the configuration names to data/movies.csv."""

import logging

from trailers12k import metadata
from trailers12k.jobs import UserError, job
from trailers12k.plan import Plan


def main() -> None:
    plan = Plan(snakemake.config)
    if plan.rows(*metadata.COLUMNS) != snakemake.params.movies:
        raise UserError("the movie table has changed since this run began; start it again")
    metadata.write_movies(snakemake.output.movies, plan.movies)
    logging.info("%d movies", len(plan.movies))


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main()
