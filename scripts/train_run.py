"""Train DIViTA on one split of one run and predict its validation and test movies."""

from pathlib import Path

from trailers12k.common.files import sha256_of
from trailers12k.common.fingerprint import fingerprint
from trailers12k.common.seeds import seed_for
from trailers12k.common.vocabulary import STREAMS
from trailers12k.jobs.context import run_job
from trailers12k.jobs.result_cache import Reuse

SPEC = snakemake.params.run
STORES = [Path(f"data/{SPEC[name]}.zarr") for name in STREAMS if name in SPEC]


def main() -> None:
    import torch

    from trailers12k.classifier import labels, training
    from trailers12k.classifier.checkpoint import TrainingSettings
    from trailers12k.classifier.packed import PackedStore
    from trailers12k.classifier.packed_arrays import array_of
    from trailers12k.classifier.snippets import common_movies
    from trailers12k.features.backbones import devices
    from trailers12k.features.backbones.names import describe_weights
    from trailers12k.features.store_attributes import attributes
    from trailers12k.settings import load
    from trailers12k.workflow.split_check import require_features

    torch.set_num_threads(snakemake.threads)
    run, split = snakemake.wildcards.run, int(snakemake.wildcards.split)
    indexes = {name: snakemake.input[name] for name in STREAMS if name in SPEC}
    # An index holds the fingerprint of every array.
    hashes = [sha256_of(path) for path in indexes.values()]
    arrays = {name: array_of(indexes[name], f"data/{SPEC[name]}.zarr") for name in indexes}
    table = labels.read_labels(snakemake.input.mtgc)
    # No param: a change of the device must not rerun the training.
    with devices.claimed(load(snakemake.config).device) as device:
        where = str(device.torch)
        streams = {name: PackedStore(path, where) for name, path in arrays.items()}
        # Of all splits: without one of them there is no table, however long the others train.
        present = common_movies({name: each.clips for name, each in streams.items()}, table.mids)
        require_features(table.mids, table.splits, present, [store.stem for store in STORES])
        training.train(
            training.TrainingData(
                streams,
                table.mids,
                table.labels,
                table.splits[:, split],
                fingerprint(stores=hashes, code=snakemake.params.code),
            ),
            training.TrainingRequest(
                TrainingSettings(**snakemake.params.settings),
                seed_for(snakemake.params.seed, run, split),
                fusion=SPEC.get("fusion", "late"),
                shuffle_labels=SPEC.get("shuffle_labels", False),
                device=where,
                backbone_weights=describe_weights(map(attributes, STORES)),
                split=split,
            ),
            Path(snakemake.output.checkpoint).parent,
            state_file=f"build/training/{run}/split{split}.pt",
        )


if __name__ == "__main__":
    # The indexes have the fingerprint of every array; weights are part of it.
    run_job(snakemake, main, Reuse(implied=[*STORES, "build/packed", "build/training"]))
