"""Put the shards' clips into data/clips.csv."""

import logging

from trailers12k.jobs.context import job
from trailers12k.video import clips


def main() -> None:
    found = clips.merge(snakemake.input.clips, snakemake.output.clips)
    logging.info("%d clips of %d trailers", found[1], found[0])


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
