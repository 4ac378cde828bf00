"""Tell what this run holds and what became of it, as tables."""

from pathlib import Path

from trailers12k.common.files import read_csv
from trailers12k.common.vocabulary import SPLITS
from trailers12k.evaluation import scores
from trailers12k.features import store as stores
from trailers12k.jobs.context import job
from trailers12k.report import tables as overview


def main() -> None:
    given, told = snakemake.input, snakemake.params
    overview.describe(
        Path(snakemake.output.tables[0]).parent,
        splits=scores.read_labels(given.mtgc),
        runs={
            run: [Path(f"results/runs/{run}/split{split}") for split in SPLITS] for run in told.runs
        },
        stores=told.used,
        # The published stores do not record their input.
        attributes={
            name: {"input": kind} | stores.attributes(Path(f"data/{name}.zarr"))
            for name, kind in told.stores.items()
        },
        manifests={name: read_csv(f"data/{name}.csv") for name in told.stores},
        movies=given.movies or None,
        ledger=given.ledger or None,
        trailers=given.trailers or None,
    )


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
