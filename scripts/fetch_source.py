"""Fetch one file that a source of movies publishes."""

from pathlib import Path

from trailers12k.downloads import http as web
from trailers12k.jobs.context import job


def main() -> None:
    web.fetch(snakemake.params.url, Path(snakemake.output.file))


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
