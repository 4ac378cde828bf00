"""Write the results table, with the paper's scores where they are of the same movies."""

from pathlib import Path

from trailers12k.common.files import read_csv
from trailers12k.jobs.context import run_job
from trailers12k.jobs.result_cache import Reuse


def main() -> None:
    import pandas as pd

    from trailers12k.evaluation import summary
    from trailers12k.evaluation.paper import RunStreams
    from trailers12k.jobs import ledger

    rows = read_csv(snakemake.input.ledger) if snakemake.input.ledger else []
    stages = dict.fromkeys(row["stage"] for row in rows)
    counts = [
        f"{stage}: {ledger.count(row for row in rows if row['stage'] == stage)}" for stage in stages
    ]
    tst, val = pd.read_csv(snakemake.input.tst), pd.read_csv(snakemake.input.val)
    options = pd.read_csv(snakemake.input.options[0]) if snakemake.input.options else None
    mtgc = pd.read_csv(snakemake.input.mtgc)
    folder = Path(snakemake.output.csv).parent
    notes = [*counts, *snakemake.params.credits]
    compared = snakemake.params.runs if snakemake.params.paper else {}
    runs = {run: RunStreams(**spec) for run, spec in compared.items()}
    summary.write_summary(folder, summary.Scores(tst, val, options, mtgc), runs, notes)


if __name__ == "__main__":
    run_job(snakemake, main, Reuse(ignored_columns=["attempts"]))
