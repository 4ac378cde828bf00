"""Write data/metadata.json in Trailers12k's structure."""

import logging

from trailers12k import ledger, metadata
from trailers12k.jobs import job
from trailers12k.plan import Plan


def main() -> None:
    records = Plan(snakemake.config).records
    trailers = [row for path in snakemake.input.trailers for row in ledger.read_shard(path)]
    found = metadata.write_metadata(snakemake.output.metadata, records, trailers)
    logging.info("%d movies, %d with a trailer", len(records), found)


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
