"""Fetch and check the pretrained weights of one model, and record what they are."""

import logging
from dataclasses import asdict
from pathlib import Path

from trailers12k.common.files import write_json
from trailers12k.features.weights_fetch import WeightsSource, fetch
from trailers12k.jobs.context import job
from trailers12k.settings import load


def main() -> None:
    record = Path(snakemake.output.record)
    # No param: another place of the same weights must not rerun the job.
    mirror = load(snakemake.config).weights_from
    weights = fetch(WeightsSource(**snakemake.params.weights), record.parent, mirror)
    write_json(record, asdict(weights))
    logging.info(
        "%s: %s, %.1f MB, sha256 %s",
        weights.model,
        weights.name,
        weights.bytes / 1e6,
        weights.sha256,
    )


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
