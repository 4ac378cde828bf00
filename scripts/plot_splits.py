"""Draws the shares of the genres in the subsets of every split."""

from pathlib import Path

from trailers12k.jobs.context import run_job


def main() -> None:
    from trailers12k.report.charts import plot_splits

    plot_splits(snakemake.input.balance, Path(snakemake.output.png).with_suffix(""))


if __name__ == "__main__":
    run_job(snakemake, main)
