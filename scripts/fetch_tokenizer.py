"""Fetch the tokenizer of a model of the hub, and try its text network."""

from pathlib import Path

from trailers12k.downloads.http import archives
from trailers12k.features import tokenizer_fetch, tokenizer_record
from trailers12k.features.weights_record import RECORDS, read_weights
from trailers12k.jobs.context import job
from trailers12k.settings import load


def main() -> None:
    # No params: another place of the same files must not rerun the job.
    settings = load(snakemake.config)
    bounds = archives(settings.downloads.private_addresses)
    weights = read_weights(Path(snakemake.input.weights))
    record = tokenizer_fetch.fetch(weights, RECORDS, settings.weights_from, bounds)
    tokenizer_record.write_record(Path(snakemake.output.record), record)


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input, snakemake.output):
        main()
