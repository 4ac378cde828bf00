"""Draws the shares of the genres in the subsets of every split."""

from pathlib import Path

from trailers12k.jobs.context import job
from trailers12k.report.charts import plot_splits


def main() -> None:
    plot_splits(snakemake.input.balance, Path(snakemake.output.png).with_suffix(""))


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
