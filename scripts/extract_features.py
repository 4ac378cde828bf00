"""Compute one backbone's features of one shard."""

from pathlib import Path

from trailers12k.features import shard, store_index
from trailers12k.features.backbones.names import read_weights
from trailers12k.features.backbones.spec import BackboneSpec
from trailers12k.features.recipe import recipe_of
from trailers12k.jobs import ledger
from trailers12k.jobs.context import job
from trailers12k.settings import load
from trailers12k.video.clip_shard import bars_of
from trailers12k.video.clip_table import read_clips
from trailers12k.workflow.stage_check import require_movies


def main() -> None:
    output, name = Path(snakemake.output.ledger), snakemake.wildcards.store
    settings = snakemake.params.settings
    # Neither is among the params: they determine no result, so a change must not rerun the job.
    configured = load(snakemake.config)
    batch = configured.backbones[name].batch
    clip_settings, bars = dict(settings["clips"]), {}
    if detected := snakemake.input.get("detected"):
        detections = ledger.read_shard(detected)
        require_movies(configured, "clips", detections)
        clip_settings["detector_version"] = ledger.tools(detections)
        bars = bars_of(detections) if clip_settings["crop_bars"] else {}
    weights = snakemake.input.get("weights")
    recipe = recipe_of(
        BackboneSpec(**settings["backbone"], batch=batch),
        clip_settings,
        settings["code"],
        settings["seed"],
        read_weights(weights) if weights else None,
    )
    request = shard.ShardRequest(
        name=name,
        sources=ledger.read_shard(snakemake.input.sources),
        clips=read_clips(snakemake.input.clips) if clip_settings else {},
        records=output.with_suffix(""),
        group=Path(snakemake.output.group).parent,
        index=store_index.index_of(name, snakemake.wildcards.shard),
        bars=bars,
    )
    machine = shard.Machine(configured.device, snakemake.threads)
    rows = shard.extract_shard(recipe, request, clip_settings, machine)
    ledger.write_shard(output, rows, shard.LEDGER_COLUMNS)
    store_index.record_repairs(name, snakemake.params.get("repairs"), snakemake.wildcards.shard)


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
