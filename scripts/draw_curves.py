"""Put the curves of all runs beside each other, as tables and as a picture."""

from pathlib import Path

import pandas as pd

from trailers12k.common.vocabulary import SPLITS
from trailers12k.evaluation import curves, scores
from trailers12k.jobs.context import job
from trailers12k.report import charts as figures
from trailers12k.report import drawing


def main() -> None:
    runs = {
        run: [Path(f"results/runs/{run}/split{split}") for split in SPLITS]
        for run in snakemake.params.runs
    }
    tst = pd.read_csv(snakemake.input.tst)
    precision_recall = curves.precision_recall(scores.read_labels(snakemake.input.mtgc), runs)
    learning = curves.learning(runs)
    curves.write(snakemake.output.precision_recall, precision_recall, 2)
    curves.write(snakemake.output.learning, learning, 6)
    curves.write(snakemake.output.genres, curves.genres(tst, list(runs)), 2)
    curves.write(snakemake.output.balance, curves.balance(pd.read_csv(snakemake.input.splits)), 4)
    chart = figures.curves(precision_recall, learning, figures.pretrained_of(tst))
    drawing.save(chart, snakemake.output.png.removesuffix(".png"))


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
