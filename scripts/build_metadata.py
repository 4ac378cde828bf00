"""Write data/metadata.json in Trailers12k's structure, and the decisions that are in force."""

import logging

from trailers12k.jobs.context import run_job
from trailers12k.jobs.result_cache import Reuse


def main() -> None:
    from trailers12k.jobs import ledger
    from trailers12k.movies import curation, metadata
    from trailers12k.settings import load
    from trailers12k.workflow.movie_list import MovieList

    listed = MovieList(load(snakemake.config))
    records, decided = listed.records, listed.decided
    trailers = [row for path in snakemake.input.trailers for row in ledger.read_shard(path)]
    found = metadata.write_metadata(snakemake.output.metadata, records, trailers, decided)
    there = {row["mid"]: row["sha256"] for row in trailers if row["status"] == "ok"}
    curation.write(snakemake.output.curation, decided, there)
    logging.info("%d movies, %d with a trailer", len(records), found)
    if listed.curation:
        logging.info("%s: %d decisions in force", listed.curation, len(decided))
    if listed.unused_decisions:
        logging.info("%s", listed.unused_decisions)


if __name__ == "__main__":
    run_job(snakemake, main, Reuse(ignored_columns=["attempts"]))
