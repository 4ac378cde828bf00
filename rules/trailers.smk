"""Trailers: needs the movie table, makes a ledger per shard, and verified files beside it."""


# Makes build/trailers/MID.EXT beside its output; a file that is there is never fetched again.
rule download_trailers:
    """Fetch and verify the trailers of a shard."""
    input:
        table=TABLE,
        sample="build/sample/shots/{shard}.csv" if plan.is_sample else [],
    output:
        ledger="build/ledger/trailers/{shard}.csv",
    log:
        "logs/download_trailers/{shard}.log",
    benchmark:
        "benchmarks/download_trailers/{shard}.tsv"
    conda:
        "../envs/download.yaml"
    resources:
        mem_mb=1000,
    params:
        movies=lambda wc: plan.rows("mid", "trailer_address", shard=wc.shard),
        settings=plan.config["trailers"],
        code=plan.code("download_trailers", "download", "video"),
    script:
        "../scripts/download_trailers.py"
