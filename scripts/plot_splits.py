"""Draw how evenly the genres are divided."""

import pandas as pd

from trailers12k.jobs.context import job
from trailers12k.report import charts as figures
from trailers12k.report import drawing


def main() -> None:
    chart = figures.balance(pd.read_csv(snakemake.input.balance))
    drawing.save(chart, snakemake.output.png.removesuffix(".png"))


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
