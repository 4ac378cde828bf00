"""Describes the run in tables: losses, genres, lengths, mistakes, stores, versions."""

from pathlib import Path

from trailers12k.common.vocabulary import SPLITS
from trailers12k.jobs.context import job
from trailers12k.report.tables import RunFiles, describe_run


def main() -> None:
    inputs, params = snakemake.input, snakemake.params
    describe_run(
        Path(snakemake.output.tables[0]).parent,
        RunFiles(
            mtgc=inputs.mtgc,
            runs={
                run: [Path(f"results/runs/{run}/split{split}") for split in SPLITS]
                for run in params.runs
            },
            stores=params.stores,
            used=params.used,
            movies=inputs.movies or None,
            ledger=inputs.ledger or None,
            trailers=inputs.trailers or None,
        ),
    )


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
