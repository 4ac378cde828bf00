"""Pack one store into an array file for training."""

from pathlib import Path

from trailers12k.jobs.context import run_job
from trailers12k.jobs.result_cache import Reuse

ARRAY = Path(snakemake.output.index).with_suffix(".npy")


def main() -> None:
    from trailers12k.classifier import packing

    store = Path(snakemake.input.group).parent
    packing.pack(store, snakemake.input.manifest, ARRAY)


if __name__ == "__main__":
    # The manifest has the fingerprint of every array. Trainings pack an array file that is missing.
    reuse = Reuse(implied=[Path(snakemake.input.group).parent], made_on_demand=[ARRAY])
    run_job(snakemake, main, reuse)
