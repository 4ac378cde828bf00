"""Divide the movies into training, validation and test, three times."""

import numpy as np

from trailers12k.common.files import write_csv
from trailers12k.common.vocabulary import GENRES
from trailers12k.jobs.context import job
from trailers12k.splits import assignment, tables
from trailers12k.workflow.plan import Plan


def main() -> None:
    table = snakemake.input.published[0] if snakemake.input.published else None
    if snakemake.params.labels:
        movies = Plan(snakemake.config).listed(snakemake.params.labels, "mid", "genres")
        mids = [movie.mid for movie in movies]
        labels = np.array([[int(genre in movie.genres) for genre in GENRES] for movie in movies])
    else:
        mids, labels = tables.read_labels(table, GENRES)
    settings, seed = snakemake.params.settings, snakemake.params.seed
    mids, labels, columns = assignment.assign(mids, labels, settings, seed, table)
    tables.write_splits(snakemake.output.mtgc, mids, GENRES, labels, columns["split"])
    rows = assignment.balance(labels, GENRES, columns)
    write_csv(snakemake.output.balance, list(rows[0]), rows)


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
