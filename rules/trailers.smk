"""Trailers: needs the movie table, makes a ledger per shard, and verified files beside it."""


# Makes build/trailers/MID.EXT beside its output; a file that is there is never fetched again.
rule download_trailers:
    """Fetch and verify the trailers of a shard."""
    input:
        table=plan.known(TABLE),
        sample="build/sample/shots/{shard}.csv" if plan.is_sample else [],
    output:
        ledger="build/ledger/trailers/{shard}.csv",
    log:
        "logs/download_trailers/{shard}.log",
    benchmark:
        "benchmarks/download_trailers/{shard}.tsv"
    localrule: True
    conda:
        "../envs/download.yaml"
    resources:
        mem_mb=1000,
        trailer_jobs=1,
    params:
        movies=lambda wc: plan.rows("mid", "trailer_addresses", shard=wc.shard),
        retry_round=lambda wc: plan.retry_round("build/trailers", wc.shard),
        short_side=plan.config["trailers"]["short_side"],
        code=plan.code("download_trailers", "downloads.trailers", "downloads.retries", "jobs.reasons", "video.reader"),
    script:
        "../scripts/download_trailers.py"
