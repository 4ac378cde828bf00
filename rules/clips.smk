"""Clips: needs the trailers, makes the shots of each, their partition into clips, and pictures."""

SHOTS_BY_TORCH = plan.config["clips"]["detector"] == "transnetv2"


# Makes build/sheets/MID.jpg beside its output, a contact sheet of the shots.
rule detect_clips:
    """Find the shots of a shard's trailers and cut them into clips."""
    input:
        trailers="build/ledger/trailers/{shard}.csv",
    output:
        ledger="build/ledger/clips/{shard}.csv",
        clips="build/clips/{shard}.csv",
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
        settings=plan.config["clips"],
        code=plan.code(
            "detect_clips",
            *CLIPS_CODE,
            "video.transnet" if SHOTS_BY_TORCH else "video.pyscenedetect",
        ),
    script:
        "../scripts/detect_clips.py"


rule merge_clips:
    """Put the clips of all shards into one table."""
    input:
        clips=plan.known(lambda wc: expand("build/clips/{shard}.csv", shard=plan.shards)),
    output:
        clips="data/clips.csv",
    log:
        "logs/merge_clips.log",
    benchmark:
        "benchmarks/merge_clips.tsv"
    conda:
        "../envs/video.yaml"
    params:
        code=plan.code("merge_clips", "video.clip_table", "video.clips"),
    script:
        "../scripts/merge_clips.py"
