"""Trailers: needs data/movies.csv, makes a ledger per shard, and verified files beside it."""


# Makes build/trailers/MID.EXT beside its output; a file that is there is never fetched again.
rule download_trailers:
    input:
        movies=ancient("data/movies.csv"),
        sample="build/sample/shots/{shard}.csv" if plan.is_sample else [],
    output:
        ledger="build/ledger/trailers/{shard}.csv",
    params:
        movies=lambda wc: plan.rows("mid", "trailer_address", shard=wc.shard),
        shards=plan.config["shards"],
        settings=plan.config["trailers"],
        code=plan.code("download_trailers", "download", "video"),
    log:
        "logs/download_trailers/{shard}.log",
    benchmark:
        "benchmarks/download_trailers/{shard}.tsv"
    resources:
        mem_mb=1000,
    conda:
        "../envs/download.yaml"
    script:
        "../scripts/download_trailers.py"
