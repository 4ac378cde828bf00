"""The built-in sample: needs nothing, makes trailers, posters and their true shots."""


# Makes build/sample/trailers/MID.mp4 and build/sample/posters/MID.jpg beside its output.
rule render_sample:
    """Render the trailers and posters of a shard of the sample, and record their shots."""
    output:
        truth="build/sample/shots/{shard}.csv",
    log:
        "logs/render_sample/{shard}.log",
    benchmark:
        "benchmarks/render_sample/{shard}.tsv"
    conda:
        "../envs/video.yaml"
    resources:
        mem_mb=1000,
    params:
        movies=movies.rows_of("mid", "title", "year", "genres"),
        seed=settings.seed,
        code=rule_version("render_sample"),
    script:
        "../scripts/render_sample.py"
