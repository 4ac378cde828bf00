"""Write the results table, with the paper's scores where they are of the same movies."""

from pathlib import Path

from trailers12k.jobs.context import run_job
from trailers12k.jobs.result_cache import Reuse


def main() -> None:
    from trailers12k.evaluation import differences, scores, split_effect, summary
    from trailers12k.evaluation.paper import RunStreams
    from trailers12k.jobs import ledger

    rows = ledger.read_ledger(snakemake.input.ledger) if snakemake.input.ledger else []
    stages = dict.fromkeys(row["stage"] for row in rows)
    counts = [
        f"{stage}: {ledger.count(row for row in rows if row['stage'] == stage)}" for stage in stages
    ]
    tst, val = scores.read_scores(snakemake.input.tst), scores.read_scores(snakemake.input.val)
    options = scores.read_options(snakemake.input.options[0]) if snakemake.input.options else None
    mtgc = scores.read_labels(snakemake.input.mtgc).reset_index()
    folder = Path(snakemake.output.csv).parent
    notes = [*counts, *summary.run_notes(snakemake.params.runs), *snakemake.params.credits]
    of_paper = snakemake.params.runs if snakemake.params.paper else {}
    runs = {run: RunStreams(**spec) for run, spec in of_paper.items() if not spec.get("zero_shot")}
    hearing = [run for run, spec in snakemake.params.runs.items() if spec.get("audio")]
    compared = differences.Compared(
        differences.read_intervals(snakemake.input.intervals),
        differences.read_comparisons(snakemake.input.comparisons),
    )
    effects = [split_effect.read_effect(path) for path in snakemake.input.split_effect]
    effect = effects[0] if effects else None
    written = summary.Scores(tst, val, options, mtgc, hearing, effect, compared)
    summary.write_summary(folder, written, runs, notes)


if __name__ == "__main__":
    run_job(snakemake, main, Reuse(ignored_columns=["attempts"]))
