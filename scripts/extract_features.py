"""Compute the features of one shard that a group of stores lacks."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailers12k.features import store_index
from trailers12k.jobs.context import run_job
from trailers12k.jobs.result_cache import Reuse

if TYPE_CHECKING:
    from trailers12k.features.shard_store import ShardMovies, StoreRequest
    from trailers12k.settings import Settings

SHARD, STORES = snakemake.wildcards.shard, snakemake.params.settings
GROUPS = {name: store_index.shard_of_store(name, SHARD) for name in STORES}
IMPLIED = ("trailers", "posters", "weights", "ledger", "stores", "features", "devices.json")
INDEXES = {name: store_index.index_of(name, SHARD) for name in STORES}


def main() -> None:
    from trailers12k.features import shard
    from trailers12k.jobs import ledger
    from trailers12k.settings import load

    # Not among the params: they determine no result, so a change must not rerun the job.
    configured = load(snakemake.config)
    movies = movies_of(configured)
    ledgers = dict(zip(STORES, map(Path, snakemake.output.ledgers), strict=True))
    requests = [
        request_of(name, configured.backbones[name].batch, path.with_suffix(""))
        for name, path in ledgers.items()
    ]
    machine = shard.Machine(configured.device, snakemake.threads, configured.batch_across)
    rows = shard.extract_shard(requests, movies, machine)
    for name, path in ledgers.items():
        ledger.write_shard(path, rows[name], shard.LEDGER_COLUMNS)


def movies_of(configured: "Settings") -> "ShardMovies":
    """The movies of the shard, with their clips."""
    from trailers12k.features.shard_store import ShardMovies
    from trailers12k.jobs import ledger
    from trailers12k.video.clip_shard import bars_of
    from trailers12k.video.clip_table import read_clips
    from trailers12k.workflow.stage_check import require_movies

    sources = ledger.read_shard(snakemake.input.sources)
    if not (detected := snakemake.input.get("detected")):
        return ShardMovies(sources)
    detections = ledger.read_shard(detected)
    require_movies(configured, "clips", detections)
    clip_settings = dict(snakemake.params.clips)
    clip_settings["detector_version"] = ledger.tools(detections)
    bars = bars_of(detections) if clip_settings["crop_bars"] else {}
    return ShardMovies(sources, read_clips(snakemake.input.clips), clip_settings, bars)


def request_of(name: str, batch: Any, records: Path) -> "StoreRequest":
    """What is to be computed for one store. records: folder of its movies' records."""
    from trailers12k.features.recipes import recipe_of
    from trailers12k.features.shard_store import StoreRequest
    from trailers12k.features.store_costs import cost_file
    from trailers12k.features.weights_record import missing_weights, read_weights

    record = snakemake.input.get(f"weights_{name}")
    if record and (missing := missing_weights(Path(record))):
        return StoreRequest(name, None, records, GROUPS[name], INDEXES[name], missing)
    recipe = recipe_of(
        STORES[name]["backbone"] | {"batch": batch},
        snakemake.params.clips,
        STORES[name]["code"],
        STORES[name]["seed"],
        read_weights(Path(record)) if record else None,
    )
    costs = cost_file(name, SHARD)
    return StoreRequest(name, recipe, records, GROUPS[name], INDEXES[name], costs=costs)


if __name__ == "__main__":
    reuse = Reuse(
        ignored=["repairs"],
        ignored_columns=["attempts"],
        # The ledgers of trailers and posters have the hashes of their files; those of other shards
        # decide only whether the job fails. Records, indexes and arrays are its own.
        implied=[f"build/{name}" for name in IMPLIED],
        made=[*INDEXES.values(), *(group / ".zattrs" for group in GROUPS.values())],
        is_sound=lambda: all(store_index.is_shard_sound(name, SHARD) for name in STORES),
    )
    run_job(snakemake, main, reuse)
    for name, count in snakemake.params.repairs.items():
        store_index.record_repairs(name, count, SHARD)
