"""Train DIViTA on one split of one run and predict its validation and test movies."""

from pathlib import Path

import torch

from trailers12k.classifier import dataset, training
from trailers12k.classifier.checkpoint import TrainingSettings
from trailers12k.classifier.packed import PackedStore
from trailers12k.common.files import sha256_of
from trailers12k.common.fingerprint import fingerprint
from trailers12k.common.seeds import seed_for
from trailers12k.common.vocabulary import STREAMS
from trailers12k.features import store as stores
from trailers12k.features.backbones import devices
from trailers12k.features.backbones.names import describe_weights
from trailers12k.jobs.context import job
from trailers12k.settings import load


def main() -> None:
    torch.set_num_threads(snakemake.threads)
    run, split = snakemake.wildcards.run, int(snakemake.wildcards.split)
    spec = snakemake.params.run
    stored = [Path(f"data/{spec[name]}.zarr") for name in STREAMS if name in spec]
    # A manifest holds the fingerprint of every array.
    manifests = [sha256_of(path.with_suffix(".csv")) for path in stored]
    table = dataset.read_labels(snakemake.input.mtgc)
    # No param: a change of the device must not rerun the training.
    with devices.claimed(load(snakemake.config).device) as device:
        where = str(device.torch)
        streams = {
            name: PackedStore(snakemake.input[name][0], where) for name in STREAMS if name in spec
        }
        training.train(
            training.TrainingData(
                streams,
                table.mids,
                table.labels,
                table.splits[:, split],
                fingerprint(stores=manifests, code=snakemake.params.code),
            ),
            training.TrainingRequest(
                TrainingSettings(**snakemake.params.settings),
                seed_for(snakemake.params.seed, run, split),
                fusion=spec.get("fusion", "late"),
                shuffle_labels=spec.get("shuffle_labels", False),
                device=where,
                backbone_weights=describe_weights(map(stores.attributes, stored)),
                split=split,
            ),
            Path(snakemake.output.checkpoint).parent,
            state_file=f"build/training/{run}/split{split}.pt",
        )


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
