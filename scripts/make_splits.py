"""Divide the movies into training, validation and test, three times."""

import numpy as np

from trailers12k import splits
from trailers12k.files import write_csv
from trailers12k.jobs import job
from trailers12k.movies import GENRES
from trailers12k.plan import Plan


def main() -> None:
    movies = Plan(snakemake.config).listed(snakemake.params.labels, "mid", "genres")
    mids = [movie.mid for movie in movies]
    labels = np.array([[int(genre in movie.genres) for genre in GENRES] for movie in movies])
    settings = snakemake.params.settings
    columns = splits.make_splits(
        labels,
        settings,
        snakemake.params.seed,
        settings["tries"],
        given=splits.read_given(settings["extend"], mids) if settings["extend"] else None,
        groups=splits.read_groups(settings["groups"], mids) if settings["groups"] else None,
    )
    splits.write_splits(snakemake.output.mtgc, mids, GENRES, labels, columns)
    named = {f"split{number}": column for number, column in enumerate(columns.T)}
    rows = splits.balance(labels, GENRES, named)
    write_csv(snakemake.output.balance, list(rows[0]), rows)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main()
