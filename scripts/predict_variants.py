"""Predict the test movies of one split of one run by evaluation variants."""

import torch

from trailers12k.classifier.inference import predict_test
from trailers12k.classifier.packed import PackedStore
from trailers12k.common.vocabulary import STREAMS
from trailers12k.jobs.context import job


def main() -> None:
    torch.set_num_threads(snakemake.threads)
    run, split = snakemake.params.run, int(snakemake.wildcards.split)
    streams = {name: PackedStore(snakemake.input[name][0]) for name in STREAMS if name in run}
    mtgc = snakemake.input.mtgc
    for name, path in zip(snakemake.params.variants, snakemake.output.predictions, strict=True):
        predict_test(snakemake.input.checkpoint, streams, mtgc, split, name, path)


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
