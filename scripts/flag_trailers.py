"""Lists every trailer, and flags those that a person should check first."""

from pathlib import Path

from trailers12k.jobs.context import run_job
from trailers12k.jobs.result_cache import Reuse


def main() -> None:
    from trailers12k.review.flagging import flag_trailers
    from trailers12k.review.trailer_table import TrailerFiles

    inputs, params, output = snakemake.input, snakemake.params, snakemake.output
    files = TrailerFiles(
        movies=inputs.movies,
        ledger=inputs.ledger,
        downloaded=inputs.downloaded,
        cut=inputs.cut,
        stores=params.stores,
        heard=inputs.heard,
        clips=inputs.clips,
        speech=Path(params.speech[0]) if params.speech else None,
    )
    flag_trailers(output.trailers, output.flags, files, inputs.maps, Path(params.sheets))


if __name__ == "__main__":
    run_job(
        snakemake,
        main,
        Reuse(
            ignored_columns=["attempts"],
            reads=[snakemake.params.sheets],
            # The manifest determines the arrays.
            implied=snakemake.params.speech,
        ),
    )
