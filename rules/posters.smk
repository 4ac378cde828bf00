"""Posters: needs the movie tables, makes a ledger per shard, and RGB JPEG files beside it."""


# Makes build/posters/MID.jpg beside its output; a file that is there is never fetched again.
rule download_posters:
    """Fetch and verify the posters of a shard."""
    input:
        tables=ancient(movies.tables),
        sample="build/sample/shots/{shard}.csv" if settings.is_sample else [],
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
        movies=movies.rows_of("mid", "poster_url"),
        retry_round=retry_round_of(settings, "build/posters"),
        max_megabytes=settings.posters.max_megabytes,
    script:
        "../scripts/download_posters.py"
