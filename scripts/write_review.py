"""Writes the page on which a person checks trailers and decides about them."""

from pathlib import Path

from trailers12k.jobs.context import run_job
from trailers12k.jobs.result_cache import Reuse


def main() -> None:
    from trailers12k.review.page import ReviewFiles, write_review

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
            waveforms=Path(params.waveforms),
            speech=Path(params.speech[0]) if params.speech else None,
            decisions=Path(params.decisions),
        ),
    )


if __name__ == "__main__":
    # The ledgers of posters have the hash of every poster, and a manifest determines its arrays.
    run_job(
        snakemake,
        main,
        Reuse(
            reads=[snakemake.params.sheets, snakemake.params.waveforms],
            implied=[snakemake.params.pictures, *snakemake.params.speech],
            made=[f"results/review/{name}" for name in ("sheets", "posters", "waveforms")],
        ),
    )
