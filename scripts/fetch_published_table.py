"""Have the authors' table of labels and splits."""

from pathlib import Path

from trailers12k.downloads import published
from trailers12k.downloads.http import archives
from trailers12k.jobs.context import job
from trailers12k.settings import load


def main() -> None:
    # No param: it determines no result.
    private = load(snakemake.config).downloads.private_addresses
    table = Path(snakemake.output.table)
    file = published.with_md5(snakemake.params.file, snakemake.input.sums)
    published.fetch(**file, path=table, bounds=archives(private))


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input, snakemake.output):
        main()
