"""Lists every trailer, and flags those that a person should check first."""

from pathlib import Path

from trailers12k.jobs.context import job
from trailers12k.review.flagging import flag_trailers
from trailers12k.review.trailer_table import TrailerFiles


def main() -> None:
    inputs, params, output = snakemake.input, snakemake.params, snakemake.output
    files = TrailerFiles(
        movies=inputs.movies,
        ledger=inputs.ledger,
        downloaded=inputs.downloaded,
        cut=inputs.cut,
        stores=params.stores,
    )
    flag_trailers(output.trailers, output.flags, files, inputs.maps, Path(params.sheets))


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
