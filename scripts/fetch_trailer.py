"""Download the trailer whose genres are predicted, or check a local file."""

from pathlib import Path

from trailers12k.common.files import write_json
from trailers12k.downloads import trailers
from trailers12k.jobs.context import job
from trailers12k.settings import load
from trailers12k.workflow.download_plan import prediction_settings


def main() -> None:
    output = Path(snakemake.output.facts)
    settings = prediction_settings(load(snakemake.config))
    write_json(output, trailers.trailer_of(snakemake.params.address, settings, output.parent))


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input, snakemake.output):
        main()
