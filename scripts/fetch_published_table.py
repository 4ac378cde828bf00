"""Have the authors' table of labels and splits."""

from pathlib import Path

from trailers12k.downloads import published
from trailers12k.jobs.context import job


def main() -> None:
    published.fetch(**snakemake.params.file, path=Path(snakemake.output.table))


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
