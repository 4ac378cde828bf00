"""Put the shards' arrays of one backbone into its store."""

from pathlib import Path

from trailers12k.common.errors import UserError
from trailers12k.common.files import write_csv
from trailers12k.features import store_index
from trailers12k.features.shard_store import NO_WEIGHTS
from trailers12k.features.store import Part, merge
from trailers12k.features.store import attributes as attributes_of
from trailers12k.jobs import ledger, outcome
from trailers12k.jobs.context import job
from trailers12k.settings import load
from trailers12k.workflow.stage_check import require_any, used_stores


def main() -> None:
    parts, attributes = [], {}
    for path, group in zip(snakemake.input.ledgers, snakemake.input.groups, strict=True):
        shard = Path(group).parent
        attributes = attributes or attributes_of(shard)
        rows = ledger.read_shard(path)
        if missing := next((row for row in rows if row["reason"] == NO_WEIGHTS), None):
            raise UserError(f"{snakemake.wildcards.store} has no weights: {missing['detail']}")
        index = store_index.index_of(snakemake.wildcards.store, shard.stem)
        parts += [
            Part(shard, row["mid"], row["fingerprint"], index)
            for row in rows
            if row["status"] == "ok"
        ]
    if snakemake.wildcards.store in used_stores(load(snakemake.config)):
        require_any(snakemake.wildcards.store, snakemake.input.ledgers)
    store = Path(snakemake.output.group).parent
    index = store_index.index_of(store.stem)
    verified = store_index.read_index(index)
    rows = merge(parts, store, attributes, index)
    if rows and store_index.read_index(index) == verified:
        outcome.unchanged()
    write_csv(snakemake.output.manifest, ["mid", "clips", "fingerprint"], rows)
    store_index.record_repairs(store.stem, snakemake.params.get("repairs"))


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
