"""Predict the test movies of one split of one run in other ways than the paper's."""

import torch

from trailers12k.classifier.inference import predict_test
from trailers12k.classifier.packed import PackedStore
from trailers12k.common.vocabulary import STREAMS
from trailers12k.jobs.context import job


def main() -> None:
    torch.set_num_threads(snakemake.threads)
    run, split = snakemake.params.run, int(snakemake.wildcards.split)
    streams = {name: PackedStore(snakemake.input[name][0]) for name in STREAMS if name in run}
    for way, path in zip(snakemake.params.ways, snakemake.output.predictions, strict=True):
        predict_test(snakemake.input.checkpoint, streams, snakemake.input.mtgc, split, way, path)


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
