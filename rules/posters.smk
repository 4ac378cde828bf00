"""Posters: needs data/movies.csv, makes a ledger per shard, and RGB JPEG files beside it."""


# Makes build/posters/MID.jpg beside its output; a file that is there is never fetched again.
rule download_posters:
    input:
        movies=ancient("data/movies.csv"),
        sample="build/sample/shots/{shard}.csv" if plan.is_sample else [],
    output:
        ledger="build/ledger/posters/{shard}.csv",
    params:
        movies=lambda wc: plan.rows("mid", "poster_url", shard=wc.shard),
        shards=plan.config["shards"],
        settings=plan.config["posters"],
        code=plan.code("download_posters", "download"),
    log:
        "logs/download_posters/{shard}.log",
    benchmark:
        "benchmarks/download_posters/{shard}.tsv"
    resources:
        mem_mb=1000,
    conda:
        "../envs/download.yaml"
    script:
        "../scripts/download_posters.py"
