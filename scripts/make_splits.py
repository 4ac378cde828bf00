"""Divide the movies into training, validation and test, three times."""

from trailers12k.common.files import read_csv
from trailers12k.common.vocabulary import GENRES, PUBLISHED
from trailers12k.jobs.context import run_job


def main() -> None:
    import numpy as np

    from trailers12k.settings import load
    from trailers12k.splits import assignment, tables
    from trailers12k.workflow.movie_list import MovieList
    from trailers12k.workflow.split_check import write_split_products
    from trailers12k.workflow.split_plan import SplitPlan

    table = snakemake.input.published[0] if snakemake.input.published else None
    configured = load(snakemake.config)
    listed = []
    if not configured.is_published:
        listed = MovieList(configured).listed(snakemake.params.labels, "mid", "genres")
        mids = [movie.mid for movie in listed]
        labels = np.array([[int(genre in movie.genres) for genre in GENRES] for movie in listed])
    else:
        mids, labels = tables.read_labels(table, GENRES)
    settings, seed = snakemake.params.settings, snakemake.params.seed
    groups = snakemake.input.groups
    # Without any duplicates, movies are assigned as without groups.
    if SplitPlan(configured).by_duplicates:
        rows = read_csv(groups[0], ["mid", "group"])
        settings = settings | {"groups": groups[0] if rows else None}
    if settings == PUBLISHED:
        movies = assignment.assign_as_published(mids, labels, table, seed)
    else:
        request = assignment.SplitRequest.from_settings(settings)
        movies = assignment.assign(mids, labels, request, seed, table, snakemake.params.broken)
    output = snakemake.output
    write_split_products(configured, listed, movies, output.mtgc, output.balance)


if __name__ == "__main__":
    run_job(snakemake, main)
