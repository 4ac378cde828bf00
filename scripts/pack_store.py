"""Pack one store into an array file for training."""

from pathlib import Path

from trailers12k.classifier import packing
from trailers12k.jobs.context import job


def main() -> None:
    store = Path(snakemake.input.group).parent
    packing.pack(store, snakemake.input.manifest, snakemake.output.features)


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
