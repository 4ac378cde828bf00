"""Fit the baselines of every set of stores on all splits, and predict with them."""

from pathlib import Path

from trailers12k.jobs.context import run_job
from trailers12k.jobs.result_cache import Reuse, is_forced

INDEXES = {Path(path).stem: path for path in snakemake.input.packed}
STORES = [f"data/{store}.zarr" for store in INDEXES]


def main() -> None:
    from trailers12k.classifier.baseline_sets import BaselineInputs, fit_rows
    from trailers12k.classifier.labels import read_labels
    from trailers12k.common.files import read_csv
    from trailers12k.evaluation.rows import result_rows
    from trailers12k.workflow.split_check import require_features

    inputs, params = snakemake.input, snakemake.params
    every = result_rows(params.runs, params.baselines)
    rows = [row for row in every if row.is_baseline]
    table = read_labels(inputs.mtgc)
    movies = {s: {row["mid"] for row in read_csv(path, ["mid"])} for s, path in INDEXES.items()}
    for row in rows:
        stores = [*row.streams.values()]
        present = set.intersection(*(movies[store] for store in stores))
        require_features(table.mids, table.splits, present, stores)
    forced = is_forced(snakemake.rule, snakemake.output)
    fit_rows(rows, BaselineInputs(inputs.mtgc, INDEXES, params.code), snakemake.threads, forced)


if __name__ == "__main__":
    # The indexes of the packed stores have the fingerprint of every array.
    run_job(snakemake, main, Reuse(implied=[*STORES, "build/packed"]))
