"""Score other ways to evaluate the same trainings."""

from pathlib import Path

from trailers12k.common.vocabulary import SPLITS
from trailers12k.evaluation import scores, summary
from trailers12k.jobs.context import job


def main() -> None:
    runs = [
        (run, int(split), Path(f"results/runs/{run}/split{split}"))
        for run in snakemake.params.runs
        for split in SPLITS
    ]
    mtgc = summary.read_labels(snakemake.input.mtgc)
    rows = scores.score_options(mtgc, runs, snakemake.params.also)
    scores.write_scores(snakemake.output.options, rows)


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
