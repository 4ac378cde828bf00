"""Write the pages on which trailers are looked at and decided about."""

from pathlib import Path

from trailers12k.common.files import read_csv
from trailers12k.jobs.context import job
from trailers12k.movies import curation
from trailers12k.review import page as review


def main() -> None:
    review.write(
        Path(snakemake.output.page).parent,
        snakemake.params.collection,
        review.read_table(snakemake.input.trailers),
        read_csv(snakemake.input.flags),
        review.read_shots(snakemake.input.clips),
        curation.read_written(snakemake.input.curation),
        Path(snakemake.params.sheets),
        Path(snakemake.params.pictures),
    )


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
