"""Put the shards' ledgers of all stages into one."""

import logging
from itertools import groupby
from pathlib import Path

from trailers12k.jobs.context import run_job
from trailers12k.jobs.result_cache import Reuse


def main() -> None:
    from trailers12k.jobs import ledger
    from trailers12k.movies import curation
    from trailers12k.settings import load
    from trailers12k.workflow.movie_list import MovieList

    paths = [*snakemake.input.sources, *snakemake.input.ledgers]
    shards = [(Path(path).parent.name, path) for path in paths]
    rejections = curation.rejections(MovieList(load(snakemake.config)).decided)
    rows = ledger.merge(shards, snakemake.output.ledger, {curation.STAGE: rejections})
    for stage, of_stage in groupby(rows, key=lambda row: row["stage"]):
        logging.info("%s: %s", stage, ledger.count(of_stage))


if __name__ == "__main__":
    # The param `rejected` has all that the job takes from the user's tables and decisions.
    movies = snakemake.config.get("movies", [])
    tables = [movies] if isinstance(movies, str) else movies
    decisions = snakemake.config.get("curation") or "curation.csv"
    run_job(snakemake, main, Reuse(implied=[*tables, decisions]))
