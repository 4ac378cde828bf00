"""Have the md5 of each file of a publication on the web."""

from pathlib import Path

from trailers12k.downloads import published
from trailers12k.downloads.http import archives
from trailers12k.jobs.context import job
from trailers12k.settings import load


def main() -> None:
    # No param: it determines no result.
    private = load(snakemake.config).downloads.private_addresses
    sums = Path(snakemake.output.sums)
    published.fetch_sums(snakemake.params.address, sums, archives(private))


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input, snakemake.output):
        main()
