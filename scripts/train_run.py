"""Train DIViTA on one split of one run and predict its validation and test movies."""

from pathlib import Path

import torch

from trailers12k.classifier import checkpoint, dataset, packed, training
from trailers12k.common.files import sha256_of
from trailers12k.common.fingerprint import fingerprint
from trailers12k.common.seeds import seed_for
from trailers12k.common.vocabulary import STREAMS
from trailers12k.features import store as stores
from trailers12k.features.backbones import devices
from trailers12k.features.backbones.names import describe_weights
from trailers12k.jobs.context import job


def main() -> None:
    torch.set_num_threads(snakemake.threads)
    run, split = snakemake.wildcards.run, int(snakemake.wildcards.split)
    spec = snakemake.params.run
    stored = [Path(f"data/{spec[name]}.zarr") for name in STREAMS if name in spec]
    # The manifests name the fingerprint of every array.
    made_from = [sha256_of(path.with_suffix(".csv")) for path in stored]
    mids, labels, subsets = dataset.read_labels(snakemake.input.mtgc)
    # No param: where it is computed shall make no job run.
    with devices.claimed(snakemake.config["device"]) as device:
        where = str(device.torch)
        streams = {
            name: packed.Packed(snakemake.input[name][0], where) for name in STREAMS if name in spec
        }
        training.train(
            streams,
            mids,
            labels,
            subsets[:, split],
            checkpoint.Settings(**snakemake.params.settings),
            seed_for(snakemake.params.seed, run, split),
            Path(snakemake.output.checkpoint).parent,
            fusion=spec.get("fusion", "late"),
            shuffle_labels=spec.get("shuffle_labels", False),
            weights=describe_weights(map(stores.attributes, stored)),
            device=where,
            state_file=f"build/training/{run}/split{split}.pt",
            inputs=fingerprint(stores=made_from, code=snakemake.params.code),
        )


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
