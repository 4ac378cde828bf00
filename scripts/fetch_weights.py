"""Fetch and check the pretrained weights of one model, and record what they are.

Weights that cannot be had are recorded, too: only their own stores fail.
"""

import logging
from pathlib import Path

from trailers12k.common.errors import UserError
from trailers12k.downloads.http import archives
from trailers12k.features import weights_record
from trailers12k.features.weights_fetch import WeightsSource, fetch
from trailers12k.jobs.context import job
from trailers12k.settings import load


def main() -> None:
    record = Path(snakemake.output.record)
    source = WeightsSource(**snakemake.params.weights)
    # No params: another place of the same weights must not rerun the job.
    settings = load(snakemake.config)
    bounds = archives(settings.downloads.private_addresses)
    try:
        weights = fetch(source, record.parent, settings.weights_from, bounds)
    except UserError as error:
        weights_record.write_missing(record, source.model, str(error))
        logging.warning("no weights: %s", error)
    else:
        weights_record.write_weights(record, weights)
        size = weights.bytes / 1e6
        said = weights.model, weights.name, size, weights.sha256
        logging.info("%s: %s, %.1f MB, sha256 %s", *said)
    weights_record.record_attempts(record.stem, snakemake.params.attempts)


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input, snakemake.output):
        main()
