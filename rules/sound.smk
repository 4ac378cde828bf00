"""Sound: needs the trailers, makes the loudness, peak and silence of each, and its waveform."""


# Makes build/waveforms/MID.bin beside its output, which the review page shows.
rule measure_sound:
    """Measure the sound of a shard's trailers."""
    input:
        trailers="build/ledger/trailers/{shard}.csv",
    output:
        ledger="build/ledger/sound/{shard}.csv",
    log:
        "logs/measure_sound/{shard}.log",
    benchmark:
        "benchmarks/measure_sound/{shard}.tsv"
    conda:
        "../envs/video.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        code=rule_version("measure_sound"),
    script:
        "../scripts/measure_sound.py"
