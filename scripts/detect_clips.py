"""Detect the shots of one shard's trailers and cut them into clips."""

from pathlib import Path

from trailers12k.jobs import ledger
from trailers12k.jobs.context import job
from trailers12k.settings import load
from trailers12k.video import clip_shard
from trailers12k.video.clip_detection import ClipSettings
from trailers12k.workflow.stage_check import require_movies


def main() -> None:
    output = Path(snakemake.output.ledger)
    paths = clip_shard.ShardPaths(
        records=output.with_suffix(""),
        table=Path(snakemake.output.clips),
        contact_sheets=Path("build/sheets"),
    )
    trailers = ledger.read_shard(snakemake.input.trailers)
    require_movies(load(snakemake.config), "trailers", trailers)
    rows = clip_shard.detect_shard(
        trailers,
        ClipSettings(**snakemake.params.settings),
        snakemake.params.code,
        paths,
    )
    ledger.write_shard(output, rows, clip_shard.LEDGER_COLUMNS)


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
