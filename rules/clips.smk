"""Clips: needs the trailers, makes the shots of each, their clips, contact sheets, and the measures
of their sound."""

SHOTS_BY_TORCH = settings.clips.detector == "transnetv2"
# The bars are always measured; only features depend on whether they are cut off.
SHOT_SETTINGS = {k: v for k, v in plain(settings.clips).items() if k != "crop_bars"}


# Makes build/sheets/MID.jpg beside its output, a contact sheet of the shots, and
# build/waveforms/MID.bin. One job for pictures and sound: a job of its own takes seconds to start.
rule detect_clips:
    """Detect the shots of a shard's trailers, cut them into clips, and measure their sound."""
    input:
        trailers="build/ledger/trailers/{shard}.csv",
    output:
        ledger="build/ledger/clips/{shard}.csv",
        clips="build/clips/{shard}.csv",
        sound="build/ledger/sound/{shard}.csv",
    log:
        "logs/detect_clips/{shard}.log",
    benchmark:
        "benchmarks/detect_clips/{shard}.tsv"
    conda:
        "../envs/torch.yaml" if SHOTS_BY_TORCH else "../envs/video.yaml"
    threads: 1
    resources:
        mem_mb=1500,
    params:
        settings=SHOT_SETTINGS,
        code=rule_version("detect_clips", families=[settings.clips.detector]),
        sound_code=rule_version("measure_sound"),
    script:
        "../scripts/detect_clips.py"


rule merge_clips:
    """Put the clips of all shards into one table."""
    input:
        clips=movies.per_shard("build/clips/{shard}.csv"),
    output:
        clips="data/clips.csv",
    log:
        "logs/merge_clips.log",
    benchmark:
        "benchmarks/merge_clips.tsv"
    conda:
        "../envs/video.yaml"
    params:
        code=rule_version("merge_clips"),
    script:
        "../scripts/merge_clips.py"
