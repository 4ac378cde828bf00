"""Posters: needs the movie table, makes a ledger per shard, and RGB JPEG files beside it."""


# Makes build/posters/MID.jpg beside its output; a file that is there is never fetched again.
rule download_posters:
    """Fetch and verify the posters of a shard."""
    input:
        table=plan.known(TABLE),
        sample="build/sample/shots/{shard}.csv" if plan.is_sample else [],
    output:
        ledger="build/ledger/posters/{shard}.csv",
    log:
        "logs/download_posters/{shard}.log",
    benchmark:
        "benchmarks/download_posters/{shard}.tsv"
    localrule: True
    conda:
        "../envs/download.yaml"
    resources:
        mem_mb=1000,
        poster_jobs=1,
    params:
        movies=lambda wc: plan.rows("mid", "poster_url", shard=wc.shard),
        retry_round=lambda wc: plan.retry_round("build/posters", wc.shard),
        max_megabytes=plan.config["posters"]["max_megabytes"],
        code=plan.code("download_posters", "downloads.trailers", "downloads.retries", "jobs.reasons", "downloads.http"),
    script:
        "../scripts/download_posters.py"
