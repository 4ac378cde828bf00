"""Sources of movies that are slow or far away: needs their addresses, makes build/sources/.

The sample and the user's table are none of these: they are read whenever Snakemake plans.
"""


rule fetch_source:
    """Fetch a file that a source publishes."""
    output:
        file="build/sources/files/{file}",
    log:
        "logs/fetch_source/{file}.log",
    benchmark:
        "benchmarks/fetch_source/{file}.tsv"
    localrule: True
    conda:
        "../envs/download.yaml"
    params:
        url=lambda wc: plan.remote_files[f"build/sources/files/{wc.file}"],
    script:
        "../scripts/fetch_source.py"


# A checkpoint, since how many shards there are, and what is in each, is known after it only.
checkpoint collect_movies:
    """Put together what the sources know; later ones fill the gaps of earlier ones."""
    input:
        files=[path for files in plan.source_files.values() for path, _ in files.values()],
        tables=plan.tables,
    output:
        movies="build/sources/movies.csv",
        records="build/sources/records.json",
        rejected="build/sources/rejected.json",
        ledgers=plan.source_ledgers(),
    log:
        "logs/collect_movies.log",
    benchmark:
        "benchmarks/collect_movies.tsv"
    localrule: True
    conda:
        "../envs/download.yaml"
    params:
        settings=plan.source_settings(),
        code=plan.code("collect_movies", *plan.source_modules),
    script:
        "../scripts/collect_movies.py"
