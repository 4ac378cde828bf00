"""Predict the test movies of one split of one run by evaluation variants."""

from trailers12k.common.vocabulary import STREAMS
from trailers12k.jobs.context import run_job
from trailers12k.jobs.result_cache import Reuse

RUN = snakemake.params.run
STORES = {name: f"data/{RUN[name]}.zarr" for name in STREAMS if name in RUN}


def main() -> None:
    import torch

    from trailers12k.classifier.inference import predict_test
    from trailers12k.classifier.packed import PackedStore
    from trailers12k.classifier.packed_arrays import array_of

    torch.set_num_threads(snakemake.threads)
    split, mtgc = int(snakemake.wildcards.split), snakemake.input.mtgc
    streams = {
        name: PackedStore(array_of(snakemake.input[name], store)) for name, store in STORES.items()
    }
    for name, path in zip(snakemake.params.variants, snakemake.output.predictions, strict=True):
        predict_test(snakemake.input.checkpoint, streams, mtgc, split, name, path)


if __name__ == "__main__":
    # The indexes of the packed stores have the fingerprint of every array.
    run_job(snakemake, main, Reuse(implied=[*STORES.values(), "build/packed"]))
