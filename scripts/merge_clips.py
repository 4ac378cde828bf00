"""Merge the shards' clips into data/clips.csv."""

import logging
from pathlib import Path

from trailers12k.jobs.context import job
from trailers12k.settings import load
from trailers12k.video import clip_table
from trailers12k.workflow.stage_check import needs_trailers, require_any


def main() -> None:
    if needs_trailers(load(snakemake.config)):
        # Beside the tables, by the same jobs.
        require_any("clips", [f"build/ledger/clips/{Path(p).name}" for p in snakemake.input.clips])
    trailers, clips = clip_table.merge(snakemake.input.clips, snakemake.output.clips)
    logging.info("%d clips of %d trailers", clips, trailers)


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
