"""Writes the page on which a person checks trailers and decides about them."""

from pathlib import Path

from trailers12k.jobs.context import job
from trailers12k.review.page import ReviewFiles, write_review


def main() -> None:
    inputs, params = snakemake.input, snakemake.params
    write_review(
        Path(snakemake.output.page).parent,
        params.collection,
        ReviewFiles(
            trailers=inputs.trailers,
            flags=inputs.flags,
            clips=inputs.clips,
            curation=inputs.curation,
            contact_sheets=Path(params.sheets),
            posters=Path(params.pictures),
            decisions=Path(params.decisions),
        ),
    )


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
