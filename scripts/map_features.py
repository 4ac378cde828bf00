"""Places the movies of one store on a plane, and finds the nearest neighbour of each."""

from pathlib import Path

from trailers12k.jobs.context import run_job
from trailers12k.jobs.result_cache import Reuse


def main() -> None:
    from trailers12k.report.embedding import map_features

    store = Path(snakemake.input.group).parent
    map_features(snakemake.output.map, store, snakemake.input.manifest)


if __name__ == "__main__":
    # The manifest has the fingerprint of every array.
    run_job(snakemake, main, Reuse(implied=[Path(snakemake.input.group).parent]))
