"""Detect the shots of one shard's trailers, cut them into clips, and measure their sound."""

from pathlib import Path

from trailers12k.common.vocabulary import OK
from trailers12k.jobs.context import run_job
from trailers12k.jobs.ledger import read_shard
from trailers12k.jobs.result_cache import Reuse
from trailers12k.video.no_sound import NO_FILE


def side_files() -> list[str]:
    """Contact sheets and waveforms of the finished shard, and the trailers that were not there to
    be heard: once they are, the work is to be repeated."""
    cut, heard = read_shard(snakemake.output.ledger), read_shard(snakemake.output.sound)
    lacking = {row["mid"] for row in heard if row["reason"] == NO_FILE}
    trailers = read_shard(snakemake.input.trailers, ["file"])
    return [
        *(f"build/sheets/{row['mid']}.jpg" for row in cut if row["status"] == OK),
        *(f"build/waveforms/{row['mid']}.bin" for row in heard if row["status"] == OK),
        *(row["file"] for row in trailers if row["mid"] in lacking),
    ]


def main() -> None:
    from trailers12k.jobs import ledger
    from trailers12k.settings import load
    from trailers12k.video import clip_shard, sound_shard
    from trailers12k.video.clip_detection import ClipSettings
    from trailers12k.video.trailer_stages import process_trailers
    from trailers12k.workflow.stage_check import require_movies

    cut, heard = Path(snakemake.output.ledger), Path(snakemake.output.sound)
    paths = clip_shard.ShardPaths(
        records=cut.with_suffix(""),
        table=Path(snakemake.output.clips),
        contact_sheets=Path("build/sheets"),
    )
    trailers = ledger.read_shard(snakemake.input.trailers, ["file", "duration", "decoder"])
    require_movies(load(snakemake.config), "trailers", trailers)
    params = snakemake.params
    clips = clip_shard.ClipStage(trailers, ClipSettings(**params.settings), params.code, paths)
    sound = sound_shard.SoundStage(
        trailers, params.sound_code, heard.with_suffix(""), Path("build/waveforms")
    )
    rows = process_trailers([clips, sound])
    ledger.write_shard(cut, rows[0], clip_shard.LEDGER_COLUMNS)
    ledger.write_shard(heard, rows[1], sound_shard.LEDGER_COLUMNS)


if __name__ == "__main__":
    # The ledger of trailers has the hash of every file; changed movies are found by their records.
    run_job(
        snakemake,
        main,
        Reuse(
            ignored_columns=["attempts"],
            implied=["build/trailers", "build/clips"],
            made=side_files,
        ),
    )
