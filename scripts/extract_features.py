"""Compute one backbone's features of one shard."""

from pathlib import Path

from trailers12k.features import extraction as features
from trailers12k.features import store_index
from trailers12k.features.backbones.names import read_weights
from trailers12k.jobs import ledger
from trailers12k.jobs.context import job
from trailers12k.video.clip_table import read_clips


def main() -> None:
    output = Path(snakemake.output.ledger)
    store, shard = snakemake.wildcards.store, snakemake.wildcards.shard
    params = snakemake.params.settings
    # Neither is among the params: they change no result, and so shall make no job run.
    device = snakemake.config["device"]
    batch = snakemake.config["backbones"][store]["batch"]
    settings = dict(params["clips"])
    if detected := snakemake.input.get("detected"):
        settings["detector_version"] = ledger.tools(ledger.read_shard(detected))
    weights = snakemake.input.get("weights")
    rows = features.extract_shard(
        store,
        params["backbone"] | {"batch": batch},
        settings,
        ledger.read_shard(snakemake.input.sources),
        read_clips(snakemake.input.clips) if settings else {},
        params["code"]["package"],
        records=output.with_suffix(""),
        store=Path(snakemake.output.group).parent,
        index=store_index.index_of(store, shard),
        seed=params["seed"],
        weights=read_weights(weights) if weights else None,
        device=device,
        threads=snakemake.threads,
    )
    ledger.write_shard(output, rows, features.LEDGER_COLUMNS)
    store_index.record_repairs(store, snakemake.params.get("repairs"), shard)


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
