"""Put the shards' arrays of one backbone into its store."""

from pathlib import Path

from trailers12k.common.files import write_csv
from trailers12k.features import store as stores
from trailers12k.features import store_index
from trailers12k.jobs import ledger
from trailers12k.jobs.context import job


def main() -> None:
    parts, attributes = [], {}
    for path, group in zip(snakemake.input.ledgers, snakemake.input.groups, strict=True):
        shard = Path(group).parent
        attributes = attributes or stores.attributes(shard)
        rows = ledger.read_shard(path)
        parts += [(shard, r["mid"], r["fingerprint"]) for r in rows if r["status"] == "ok"]
    store = Path(snakemake.output.group).parent
    rows = stores.merge(parts, store, attributes, store_index.index_of(store.stem))
    write_csv(snakemake.output.manifest, ["mid", "clips", "fingerprint"], rows)


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
