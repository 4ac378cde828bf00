"""Detect the shots of one shard's trailers and cut them into clips."""

from pathlib import Path

from trailers12k.jobs import ledger
from trailers12k.jobs.context import job
from trailers12k.video import clip_shard
from trailers12k.video.clip_detection import ClipSettings


def main() -> None:
    output = Path(snakemake.output.ledger)
    paths = clip_shard.ShardPaths(
        records=output.with_suffix(""),
        table=Path(snakemake.output.clips),
        contact_sheets=Path("build/sheets"),
    )
    rows = clip_shard.detect_shard(
        ledger.read_shard(snakemake.input.trailers),
        ClipSettings(**snakemake.params.settings),
        snakemake.params.code,
        paths,
    )
    ledger.write_shard(output, rows, clip_shard.LEDGER_COLUMNS)


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
