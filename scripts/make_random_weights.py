"""Calibrate all networks with random weights that have no file of statistics yet."""

from pathlib import Path

from trailers12k.features.backbones.calibrations import calibration_of
from trailers12k.features.backbones.spec import BackboneSpec
from trailers12k.jobs.context import run_job
from trailers12k.jobs.result_cache import Reuse

NETWORKS = [
    (spec := BackboneSpec(**each["backbone"]), calibration_of(spec, each["seed"], each["code"]))
    for each in snakemake.params.networks
]


def files() -> list[Path]:
    """The files that exist."""
    return sorted({own.path for _, own in NETWORKS if own.path.exists()})


def main() -> None:
    import logging

    import torch

    from trailers12k.common.errors import UserError
    from trailers12k.common.files import sha256_of, write_json
    from trailers12k.features.backbones.loading import load
    from trailers12k.features.backbones.network_faults import working

    # As in the jobs that read the files.
    torch.set_num_threads(1)
    for spec, own in NETWORKS:
        if own.read() is not None:
            logging.info("%s: kept", own.path.name)
            continue
        try:
            with working(spec.model):
                own.write(load(spec, own.seed).statistics)
            logging.info("%s: calibrated", own.path.name)
        except UserError as error:
            # The stores of other networks are made; that of this one fails for the same reason.
            logging.warning("%s", error)
    write_json(snakemake.output.record, {path.name: sha256_of(path) for path in files()})


if __name__ == "__main__":
    run_job(snakemake, main, Reuse(made=files))
