"""Places the movies of one store on a plane, and finds the nearest neighbour of each."""

from pathlib import Path

from trailers12k.jobs.context import job
from trailers12k.report.embedding import map_features


def main() -> None:
    store = Path(snakemake.input.group).parent
    map_features(snakemake.output.map, store, snakemake.input.manifest)


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
