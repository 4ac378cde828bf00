"""Compute intervals of all rows of the results table, and compare every two of them."""

from trailers12k.common.vocabulary import SPLITS
from trailers12k.jobs.context import run_job
from trailers12k.jobs.result_cache import Reuse


def main() -> None:
    from trailers12k.evaluation.comparison import write_comparisons
    from trailers12k.evaluation.rows import result_rows
    from trailers12k.evaluation.scores import TrainedSplit, read_labels

    params = snakemake.params
    trained = [
        TrainedSplit(row.name, int(split), row.folder(split), row.classifier)
        for row in result_rows(params.runs, params.baselines)
        for split in SPLITS
    ]
    mtgc = read_labels(snakemake.input.mtgc)
    write_comparisons(mtgc, trained, dict(snakemake.output), params.resamples, params.seed)


if __name__ == "__main__":
    run_job(snakemake, main, Reuse())
