"""Pack one store into an array file for training."""

from pathlib import Path

from trailers12k.classifier import packed_arrays
from trailers12k.jobs.context import run_job
from trailers12k.jobs.result_cache import Reuse

STORE = Path(snakemake.input.group).parent
INDEX = Path(snakemake.output.index)


def main() -> None:
    packed_arrays.pack(STORE, snakemake.input.manifest, INDEX)


if __name__ == "__main__":
    # The manifest has the fingerprint of every array. Trainings pack an array file that is missing.
    made = [INDEX.with_suffix(".npy"), packed_arrays.record_of(INDEX)]
    run_job(snakemake, main, Reuse(implied=[STORE], made_on_demand=made))
