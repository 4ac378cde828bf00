"""Have the pretrained weights of one model, checked, and write down what they are."""

import logging
from dataclasses import asdict
from pathlib import Path

from trailers12k.common.files import write_json
from trailers12k.features.backbones import weights
from trailers12k.jobs.context import job
from trailers12k.settings import load


def main() -> None:
    record = Path(snakemake.output.record)
    # No param: where the same weights come from changes no result.
    mirror = load(snakemake.config).weights_from
    found = weights.fetch(snakemake.params.weights, record.parent, mirror)
    write_json(record, asdict(found))
    logging.info(
        "%s: %s, %.1f MB, sha256 %s", found.model, found.name, found.bytes / 1e6, found.sha256
    )


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
