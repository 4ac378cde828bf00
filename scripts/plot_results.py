"""Draw the results table."""

import pandas as pd

from trailers12k import figures
from trailers12k.jobs import job


def main() -> None:
    figures.plot_results(pd.read_csv(snakemake.input.summary), snakemake.output.png)


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
