"""Detect the shots of one shard's trailers and cut them into clips."""

from pathlib import Path

from trailers12k.common.vocabulary import OK
from trailers12k.jobs.context import run_job
from trailers12k.jobs.ledger import read_shard
from trailers12k.jobs.result_cache import Reuse


def contact_sheets() -> list[str]:
    """Those of the finished shard."""
    rows = read_shard(snakemake.output.ledger)
    return [f"build/sheets/{row['mid']}.jpg" for row in rows if row["status"] == OK]


def main() -> None:
    from trailers12k.jobs import ledger
    from trailers12k.settings import load
    from trailers12k.video import clip_shard
    from trailers12k.video.clip_detection import ClipSettings
    from trailers12k.workflow.stage_check import require_movies

    output = Path(snakemake.output.ledger)
    paths = clip_shard.ShardPaths(
        records=output.with_suffix(""),
        table=Path(snakemake.output.clips),
        contact_sheets=Path("build/sheets"),
    )
    trailers = ledger.read_shard(snakemake.input.trailers, ["file", "duration", "decoder"])
    require_movies(load(snakemake.config), "trailers", trailers)
    rows = clip_shard.detect_shard(
        trailers,
        ClipSettings(**snakemake.params.settings),
        snakemake.params.code,
        paths,
    )
    ledger.write_shard(output, rows, clip_shard.LEDGER_COLUMNS)


if __name__ == "__main__":
    # The ledger of trailers has the hash of every file; changed movies are found by their records.
    run_job(
        snakemake,
        main,
        Reuse(
            ignored_columns=["attempts"],
            implied=["build/trailers", "build/clips"],
            made=contact_sheets,
        ),
    )
