"""Trailers: needs the movie tables, makes a ledger per shard, and verified files beside it."""


# Makes build/trailers/MID.EXT beside its output; a file that is there is never fetched again.
rule download_trailers:
    """Fetch and verify the trailers of a shard."""
    input:
        tables=ancient(movies.tables),
        sample="build/sample/shots/{shard}.csv" if settings.is_sample else [],
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
        movies=movies.rows_of("mid", "trailer_addresses"),
        retry_round=retry_round_of(settings, "build/trailers"),
        short_side=preferred_file(settings),
    script:
        "../scripts/download_trailers.py"
