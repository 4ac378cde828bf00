"""Compute intervals of all rows of the results table, and compare every two of them."""

from trailers12k.jobs.context import run_job
from trailers12k.jobs.result_cache import Reuse


def main() -> None:
    from trailers12k.evaluation.comparison import write_comparisons
    from trailers12k.evaluation.rows import result_rows
    from trailers12k.evaluation.scores import read_labels, split_rows

    params = snakemake.params
    trained = split_rows(result_rows(params.runs, params.baselines))
    mtgc = read_labels(snakemake.input.mtgc)
    write_comparisons(mtgc, trained, dict(snakemake.output), params.resamples, params.seed)


if __name__ == "__main__":
    run_job(snakemake, main, Reuse())
