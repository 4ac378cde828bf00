"""Predict the test movies of one split of one run by evaluation variants."""

import torch

from trailers12k.classifier import packed, training
from trailers12k.common.vocabulary import STREAMS
from trailers12k.jobs.context import job


def main() -> None:
    torch.set_num_threads(snakemake.threads)
    run, split = snakemake.params.run, int(snakemake.wildcards.split)
    streams = {name: packed.Packed(snakemake.input[name][0]) for name in STREAMS if name in run}
    for variant, path in zip(snakemake.params.variants, snakemake.output.predictions, strict=True):
        training.predict_test(
            snakemake.input.checkpoint, streams, snakemake.input.mtgc, split, variant, path
        )


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
