"""Put the shards' arrays of one backbone into its store."""

from pathlib import Path

from trailers12k.features import store_index
from trailers12k.jobs.context import run_job
from trailers12k.jobs.result_cache import Reuse

STORE = snakemake.wildcards.store
SHARDS = [Path(group).parent for group in snakemake.input.groups]
INDEX = store_index.index_of(STORE)


def main() -> None:
    from trailers12k.common.files import write_csv
    from trailers12k.features.store import Part, attributes, merge
    from trailers12k.jobs import ledger, outcome
    from trailers12k.settings import load
    from trailers12k.workflow.stage_check import require_any, require_weights, used_stores

    require_weights(STORE, snakemake.input.ledgers)
    if STORE in used_stores(load(snakemake.config)):
        require_any(STORE, snakemake.input.ledgers)
    parts = []
    for path, shard in zip(snakemake.input.ledgers, SHARDS, strict=True):
        index = store_index.index_of(STORE, shard.stem)
        parts += [
            Part(shard, row["mid"], row["fingerprint"], index)
            for row in ledger.read_shard(path, ["clips", "fingerprint"])
            if row["status"] == "ok"
        ]
    if of_store := next(filter(None, map(attributes, SHARDS)), {}):
        of_store |= snakemake.params.stated
    verified = store_index.read_index(INDEX)
    rows = merge(parts, Path(snakemake.output.group).parent, of_store, INDEX)
    if rows and store_index.read_index(INDEX) == verified:
        outcome.unchanged()
    write_csv(snakemake.output.manifest, ["mid", "clips", "fingerprint"], rows)


if __name__ == "__main__":
    about = Path(snakemake.output.group).with_name(".zattrs")
    reuse = Reuse(
        ignored=["repairs"],
        reads=[shard / ".zattrs" for shard in SHARDS],
        # The ledgers have the fingerprint of every array. The store is the job's own product.
        implied=[*SHARDS, INDEX.with_suffix(""), about.parent],
        made=[INDEX, about],
        is_sound=lambda: store_index.is_store_sound(STORE),
    )
    run_job(snakemake, main, reuse)
    store_index.record_repairs(STORE, snakemake.params.get("repairs"))
