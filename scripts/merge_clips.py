"""Merge the shards' clips into data/clips.csv."""

import logging
from pathlib import Path

from trailers12k.jobs.context import run_job
from trailers12k.jobs.result_cache import Reuse

# Beside the tables, by the same jobs.
LEDGERS = [f"build/ledger/clips/{Path(path).name}" for path in snakemake.input.clips]


def main() -> None:
    from trailers12k.settings import load
    from trailers12k.video import clip_table
    from trailers12k.workflow.stage_check import needs_trailers, require_any

    if needs_trailers(load(snakemake.config)):
        require_any("clips", LEDGERS)
    trailers, clips = clip_table.merge(snakemake.input.clips, snakemake.output.clips)
    logging.info("%d clips of %d trailers", clips, trailers)


if __name__ == "__main__":
    run_job(snakemake, main, Reuse(reads=LEDGERS))
