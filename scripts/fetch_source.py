"""Fetch one file that a source of movies publishes."""

from pathlib import Path

from trailers12k.downloads import http as web
from trailers12k.jobs.context import job
from trailers12k.settings import load

LIMITS = web.Checks(most_bytes=4_000_000_000)
"""IMDb's largest file has 0.2 GB."""


def main() -> None:
    # No param: it determines no result.
    private = load(snakemake.config).downloads.private_addresses
    file = Path(snakemake.output.file)
    web.fetch(snakemake.params.url, file, checks=LIMITS, bounds=web.archives(private))


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input, snakemake.output):
        main()
