"""Measure the sound of one shard's trailers."""

from pathlib import Path

from trailers12k.common.vocabulary import OK
from trailers12k.jobs.context import run_job
from trailers12k.jobs.ledger import read_shard
from trailers12k.jobs.result_cache import Reuse
from trailers12k.video.no_sound import NO_FILE


def side_files() -> list[str]:
    """The waveforms of the finished shard, and the trailers that were not there: once they are, the
    work is to be repeated."""
    rows = read_shard(snakemake.output.ledger)
    lacking = {row["mid"] for row in rows if row["reason"] == NO_FILE}
    trailers = read_shard(snakemake.input.trailers, ["file"])
    return [
        *(f"build/waveforms/{row['mid']}.bin" for row in rows if row["status"] == OK),
        *(row["file"] for row in trailers if row["mid"] in lacking),
    ]


def main() -> None:
    from trailers12k.jobs import ledger
    from trailers12k.video import sound_shard

    output = Path(snakemake.output.ledger)
    trailers = ledger.read_shard(snakemake.input.trailers, ["file", "duration"])
    rows = sound_shard.measure_shard(
        trailers, snakemake.params.code, output.with_suffix(""), Path("build/waveforms")
    )
    ledger.write_shard(output, rows, sound_shard.LEDGER_COLUMNS)


if __name__ == "__main__":
    # The ledger of trailers has the hash of every file; changed movies are found by their records.
    run_job(
        snakemake,
        main,
        Reuse(ignored_columns=["attempts"], implied=["build/trailers"], made=side_files),
    )
