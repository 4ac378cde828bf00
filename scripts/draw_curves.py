"""Writes the curves of all runs side by side, as tables and as a picture."""

from pathlib import Path

from trailers12k.common.vocabulary import SPLITS
from trailers12k.jobs.context import run_job


def main() -> None:
    from trailers12k.report.curves import CurveInputs, CurveOutputs, draw_curves

    inputs, output = snakemake.input, snakemake.output
    runs = {
        run: [Path(f"results/runs/{run}/split{split}") for split in SPLITS]
        for run in snakemake.params.runs
    }
    draw_curves(
        CurveInputs(inputs.mtgc, inputs.tst, inputs.splits, runs),
        CurveOutputs(
            precision_recall=output.precision_recall,
            learning=output.learning,
            genres=output.genres,
            balance=output.balance,
            picture=Path(output.png).with_suffix(""),
        ),
    )


if __name__ == "__main__":
    run_job(snakemake, main)
