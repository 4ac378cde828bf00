"""Lay the movies of one store out on a plane."""

from pathlib import Path

from trailers12k.jobs.context import job
from trailers12k.report import embedding as maps


def main() -> None:
    store = Path(snakemake.input.group).parent
    maps.write(snakemake.output.map, maps.of_store(store, snakemake.input.manifest))


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
