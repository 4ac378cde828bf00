"""Score every run and split on its validation and test movies."""

from pathlib import Path

from trailers12k.common.vocabulary import SPLITS
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
    trained, features = [], {}
    for row in result_rows(snakemake.params.runs, snakemake.params.baselines):
        used = list(row.streams.values())
        recorded = [attributes(Path(f"data/{store}.zarr")) for store in used]
        listed = [frozenset(store_index.read_manifest(Path(f"data/{store}.csv"))) for store in used]
        features[row.name] = scores.RunStores(
            describe_weights(recorded), pretrained_of(recorded), frozenset.intersection(*listed)
        )
        trained += [
            scores.TrainedSplit(row.name, int(split), row.folder(split), row.classifier)
            for split in SPLITS
        ]
    for subset, path in (("validation", snakemake.output.val), ("test", snakemake.output.tst)):
        rows = scores.score_runs(mtgc, trained, features, subset, snakemake.params.seed)
        scores.write_scores(path, rows)


if __name__ == "__main__":
    # The manifests have the fingerprint of every array; the weights are part of it.
    run_job(snakemake, main, Reuse(implied=STORES))
