"""Compute the features of one shard that a group of stores lacks."""

from pathlib import Path
from typing import Any

from trailers12k.features import shard, store_index
from trailers12k.features.backbones.spec import BackboneSpec
from trailers12k.features.recipe import Recipe, recipe_of
from trailers12k.features.shard_store import ShardMovies, StoreRequest
from trailers12k.features.weights_record import missing_weights, read_weights
from trailers12k.jobs import ledger
from trailers12k.jobs.context import job
from trailers12k.settings import Settings, load
from trailers12k.video.clip_shard import bars_of
from trailers12k.video.clip_table import read_clips
from trailers12k.workflow.stage_check import require_movies


def main() -> None:
    number, stores = snakemake.wildcards.shard, snakemake.params.settings
    # Not among the params: they determine no result, so a change must not rerun the job.
    configured = load(snakemake.config)
    movies = movies_of(configured)
    requests = [
        request_of(name, stores[name], configured.backbones[name].batch, Path(path))
        for name, path in zip(stores, snakemake.output.ledgers, strict=True)
    ]
    machine = shard.Machine(configured.device, snakemake.threads)
    rows = shard.extract_shard(requests, movies, machine)
    for name, path in zip(stores, snakemake.output.ledgers, strict=True):
        ledger.write_shard(path, rows[name], shard.LEDGER_COLUMNS)
    for name, count in snakemake.params.repairs.items():
        store_index.record_repairs(name, count, number)


def movies_of(configured: Settings) -> ShardMovies:
    """The movies of the shard, with their clips."""
    sources = ledger.read_shard(snakemake.input.sources)
    if not (detected := snakemake.input.get("detected")):
        return ShardMovies(sources)
    detections = ledger.read_shard(detected)
    require_movies(configured, "clips", detections)
    clip_settings = dict(snakemake.params.clips)
    clip_settings["detector_version"] = ledger.tools(detections)
    bars = bars_of(detections) if clip_settings["crop_bars"] else {}
    return ShardMovies(sources, read_clips(snakemake.input.clips), clip_settings, bars)


def request_of(name: str, settings: dict[str, Any], batch: int, output: Path) -> StoreRequest:
    """What is to be computed for one store. output: its ledger."""
    recipe: Recipe | None = None
    record = snakemake.input.get(f"weights_{name}")
    missing = missing_weights(Path(record)) if record else ""
    if not missing:
        recipe = recipe_of(
            BackboneSpec(**settings["backbone"], batch=batch),
            snakemake.params.clips,
            settings["code"],
            settings["seed"],
            read_weights(Path(record)) if record else None,
        )
    number = snakemake.wildcards.shard
    group, index = store_index.shard_of_store(name, number), store_index.index_of(name, number)
    return StoreRequest(name, recipe, output.with_suffix(""), group, index, missing)


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
