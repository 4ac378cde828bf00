"""Score every run and split on its validation and test movies."""

from pathlib import Path

from trailers12k.jobs.context import run_job
from trailers12k.jobs.result_cache import Reuse

STORES = [Path(path).parent for path in snakemake.input.stores if path.endswith("/.zgroup")]


def main() -> None:
    from trailers12k.evaluation import scores
    from trailers12k.evaluation.rows import result_rows
    from trailers12k.features import store_index
    from trailers12k.features.backbones.names import describe_weights, pretrained_of
    from trailers12k.features.store_attributes import attributes

    mtgc = scores.read_labels(snakemake.input.mtgc)
    rows, features = result_rows(snakemake.params.runs, snakemake.params.baselines), {}
    for row in rows:
        used = list(row.streams.values())
        recorded = [attributes(Path(f"data/{store}.zarr")) for store in used]
        listed = [frozenset(store_index.read_manifest(Path(f"data/{store}.csv"))) for store in used]
        features[row.name] = scores.RunStores(
            describe_weights(recorded), pretrained_of(recorded), frozenset.intersection(*listed)
        )
    for subset, path in (("validation", snakemake.output.val), ("test", snakemake.output.tst)):
        scored = scores.score_runs(
            mtgc, scores.split_rows(rows), features, subset, snakemake.params.seed
        )
        scores.write_scores(path, scored)


if __name__ == "__main__":
    # The manifests have the fingerprint of every array; the weights are part of it.
    run_job(snakemake, main, Reuse(implied=STORES))
