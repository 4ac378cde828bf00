"""Merge the shards' clips into data/clips.csv."""

import logging

from trailers12k.jobs.context import job
from trailers12k.video import clip_table


def main() -> None:
    trailers, clips = clip_table.merge(snakemake.input.clips, snakemake.output.clips)
    logging.info("%d clips of %d trailers", clips, trailers)


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
