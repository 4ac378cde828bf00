"""The movies: needs the movie table, makes data/movies.csv, and data/metadata.json and
data/curation.csv, which tells what people decided about them, once the trailers are there."""


rule list_movies:
    """Write the movies of the configuration as a flat table."""
    input:
        table=plan.known(TABLE),
    output:
        movies="data/movies.csv",
    log:
        "logs/list_movies.log",
    benchmark:
        "benchmarks/list_movies.tsv"
    conda:
        "../envs/tables.yaml"
    params:
        movies=lambda wc: plan.rows(*COLUMNS),
        code=plan.code("list_movies", "movies.metadata"),
    script:
        "../scripts/list_movies.py"


rule build_metadata:
    """Write the movies in Trailers12k's own structure, with the trailers' dimensions, and the
    decisions that are in force."""
    input:
        movies="data/movies.csv",
        records=RECORDS if plan.collects else [],
        trailers=plan.known(lambda wc: plan.ledgers("trailers")),
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
        decided=lambda wc: plan.decided_rows(),
        code=plan.code("build_metadata", "movies.metadata", "movies.curation"),
    script:
        "../scripts/build_metadata.py"
