"""Fail where pretrained weights could not be obtained; list the others."""

from pathlib import Path

from trailers12k.features.weights_record import list_weights
from trailers12k.jobs.context import job


def main() -> None:
    list_weights(map(Path, snakemake.input.records), Path(snakemake.output.table))


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input, snakemake.output):
        main()
