"""Divide the movies into training, validation and test, three times."""

import numpy as np

from trailers12k import splits
from trailers12k.files import write_csv
from trailers12k.jobs import job
from trailers12k.movies import GENRES
from trailers12k.plan import Plan


def main() -> None:
    movies = Plan(snakemake.config).listed(snakemake.params.labels, "mid", "genres")
    labels = np.array([[int(genre in movie.genres) for genre in GENRES] for movie in movies])
    settings = snakemake.params.settings
    columns = splits.make_splits(labels, settings, snakemake.params.seed, settings["tries"])
    names = ["mid", *GENRES, *(f"split{k}" for k in range(columns.shape[1]))]
    table = zip(movies, labels, columns, strict=True)
    rows = [dict(zip(names, [m.mid, *row, *subsets], strict=True)) for m, row, subsets in table]
    write_csv(snakemake.output.mtgc, names, rows)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main()
