"""Slow or remote sources of movies: needs their addresses, makes build/sources/.

The sample and the user's tables need none of this: they are read whenever Snakemake plans.
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
        url=sources.url,
    script:
        "../scripts/fetch_source.py"


# A checkpoint, since only its result says which shards there are and which movies each has.
checkpoint collect_movies:
    """Combine what the sources say; later sources fill the gaps of earlier ones."""
    input:
        sources.inputs,
    output:
        movies="build/sources/movies.csv",
        records="build/sources/records.json",
        rejected="build/sources/rejected.json",
        ledgers=sources.ledgers,
    log:
        "logs/collect_movies.log",
    benchmark:
        "benchmarks/collect_movies.tsv"
    localrule: True
    conda:
        "../envs/download.yaml"
    params:
        settings=lambda wildcards: sources.collection_settings(movies.decisions),
        code=rule_version("collect_movies", families=sources.families),
    script:
        "../scripts/collect_movies.py"


if movies.must_collect:
    movies.wait = checkpoints.collect_movies.get
