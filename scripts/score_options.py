"""Score the evaluation variants of every run and split."""

from pathlib import Path

from trailers12k.common.vocabulary import SPLITS
from trailers12k.jobs.context import run_job


def main() -> None:
    from trailers12k.evaluation import scores

    trained = [
        scores.TrainedSplit(run, int(split), Path(f"results/runs/{run}/split{split}"))
        for run in snakemake.params.runs
        for split in SPLITS
    ]
    mtgc = scores.read_labels(snakemake.input.mtgc)
    rows = scores.score_options(mtgc, trained, snakemake.params.also)
    scores.write_options(snakemake.output.options, rows)


if __name__ == "__main__":
    run_job(snakemake, main)
