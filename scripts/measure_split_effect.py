"""Measure what the way to split does to the figures, by baselines beside the standard splits."""

from pathlib import Path

from trailers12k.jobs.context import run_job
from trailers12k.jobs.result_cache import Reuse

STORES = [Path(path).parent for path in snakemake.input.stores if path.endswith("/.zgroup")]


def main() -> None:
    from trailers12k.classifier import split_effect
    from trailers12k.splits.assignment import SplitRequest
    from trailers12k.splits.duplicate_groups import read_pairs

    inputs, output, params = snakemake.input, snakemake.output, snakemake.params
    request = SplitRequest.from_settings(params.standard)
    split_effect.write_standard(output.standard, inputs.mtgc, request, params.seed, params.broken)
    split_effect.measure_split_effect(
        output.effect,
        params.mode,
        inputs.mtgc,
        output.standard,
        read_pairs(inputs.flags),
        params.rows,
    )


if __name__ == "__main__":
    # The manifests have the fingerprint of every array.
    run_job(snakemake, main, Reuse(implied=STORES))
