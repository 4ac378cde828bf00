"""Describes the run in tables: losses, genres, lengths, mistakes, stores, versions."""

from pathlib import Path

from trailers12k.common.vocabulary import SPLITS
from trailers12k.jobs.context import run_job
from trailers12k.jobs.result_cache import Reuse


def main() -> None:
    from trailers12k.report.tables import RunFiles, describe_run

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
    run_job(
        snakemake,
        main,
        Reuse(
            ignored_columns=["attempts"],
            reads=[f"data/{store}.zarr/.zattrs" for store in snakemake.params.stores],
        ),
    )
