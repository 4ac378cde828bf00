"""The movies: needs the movie tables, makes data/movies.csv; with the trailers, also
data/metadata.json and data/curation.csv, the decisions in force."""

from trailers12k.movies.movie_table import COLUMNS


# First of all jobs, since it also records which kind of collection the folder holds.
rule list_movies:
    """Write the movies of the configuration as a flat table."""
    input:
        tables=ancient(movies.tables),
    output:
        movies="data/movies.csv",
        collection="build/collection.json",
    log:
        "logs/list_movies.log",
    benchmark:
        "benchmarks/list_movies.tsv"
    priority: 1
    conda:
        "../envs/tables.yaml"
    params:
        movies=movies.rows_of(*COLUMNS),
        collection=settings.collection,
        code=rule_version("list_movies"),
    script:
        "../scripts/list_movies.py"


rule build_metadata:
    """Write the movies in Trailers12k's own structure, with the trailers' dimensions, and the
    decisions in force."""
    input:
        movies="data/movies.csv",
        tables=ancient(movies.tables),
        records="build/sources/records.json" if movies.must_collect else [],
        trailers=movies.per_shard("build/ledger/trailers/{shard}.csv"),
    output:
        metadata="data/metadata.json",
        curation="data/curation.csv",
    log:
        "logs/build_metadata.log",
    benchmark:
        "benchmarks/build_metadata.tsv"
    conda:
        "../envs/tables.yaml"
    params:
        decided=movies.decision_rows,
        code=rule_version("build_metadata"),
    script:
        "../scripts/build_metadata.py"
