"""Fetch and verify the trailers of one shard."""

from pathlib import Path

from trailers12k.downloads import trailers as download
from trailers12k.jobs import ledger
from trailers12k.jobs.context import job
from trailers12k.workflow.plan import Plan


def main() -> None:
    plan, shard = Plan(snakemake.config), snakemake.wildcards.shard
    rows = download.trailers_of_shard(
        plan.listed(snakemake.params.movies, "mid", "trailer_addresses", shard=shard),
        plan.download_settings("trailers"),
        Path("build/trailers"),
        shard,
        snakemake.params.retry_round,
    )
    ledger.write_shard(snakemake.output.ledger, rows, download.TRAILER_COLUMNS)


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
