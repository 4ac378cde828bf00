"""Compute one backbone's features of one shard."""

from pathlib import Path

import torch

from trailers12k import clips, features, ledger
from trailers12k.jobs import job


def main() -> None:
    torch.set_num_threads(snakemake.threads)
    output = Path(snakemake.output.ledger)
    rows = features.extract_shard(
        snakemake.wildcards.store,
        snakemake.params.backbone,
        snakemake.params.clips,
        ledger.read_shard(snakemake.input.sources),
        clips.read_clips(snakemake.input.clips) if snakemake.input.clips else {},
        snakemake.params.code["package"],
        records=output.with_suffix(""),
        store=Path(snakemake.output.group).parent,
        seed=snakemake.params.seed,
    )
    ledger.write_shard(output, rows, features.LEDGER_COLUMNS)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main()
