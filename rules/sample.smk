"""The built-in sample: needs nothing, makes trailers, posters and their known cuts."""


# Makes build/sample/trailers/MID.mp4 and build/sample/posters/MID.jpg beside its output.
rule render_sample:
    input:
        movies=ancient("data/movies.csv"),
    output:
        truth="build/sample/shots/{shard}.csv",
    params:
        movies=lambda wc: plan.rows("mid", "title", "genres", shard=wc.shard),
        shards=plan.config["shards"],
        seed=plan.config["seed"],
        code=plan.code("render_sample", *SAMPLE_CODE),
    log:
        "logs/render_sample/{shard}.log",
    benchmark:
        "benchmarks/render_sample/{shard}.tsv"
    resources:
        mem_mb=1000,
    conda:
        "../envs/video.yaml"
    script:
        "../scripts/render_sample.py"
