"""The built-in sample: needs nothing, makes trailers, posters and their known cuts."""


# Makes build/sample/trailers/MID.mp4 and build/sample/posters/MID.jpg beside its output.
rule render_sample:
    """Paint the trailers and posters of a shard of the sample, and write down their shots."""
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
        movies=lambda wc: plan.rows("mid", "title", "year", "genres", shard=wc.shard),
        seed=plan.config["seed"],
        code=plan.code("render_sample", *SAMPLE_CODE),
    script:
        "../scripts/render_sample.py"
