"""Splits: needs the genres of the movies, makes data/mtgc.csv."""

from trailers12k.movies.sources.sample import BROKEN


rule make_splits:
    """Assign the movies to training, validation and test, three times."""
    input:
        tables=ancient(movies.tables),
        published=sources.published_table,
        earlier=sources.split_table("extend"),
        groups=sources.split_table("groups"),
    output:
        mtgc="data/mtgc.csv",
        balance="results/splits.csv",
    log:
        "logs/make_splits.log",
    benchmark:
        "benchmarks/make_splits.tsv"
    conda:
        "../envs/tables.yaml"
    params:
        labels=movies.rows_of("mid", "genres"),
        broken=list(BROKEN.values()) if settings.is_sample else [],
        settings=settings.for_results()["splits"],
        seed=settings.seed,
        code=rule_version("make_splits"),
    script:
        "../scripts/make_splits.py"


rule plot_splits:
    """Draw how evenly the genres are divided."""
    input:
        balance="results/splits.csv",
    output:
        svg="results/figures/splits.svg",
        png=report("results/figures/splits.png", "../captions/splits.rst", "Splits"),
    log:
        "logs/plot_splits.log",
    benchmark:
        "benchmarks/plot_splits.tsv"
    conda:
        "../envs/tables.yaml"
    params:
        code=rule_version("plot_splits"),
    script:
        "../scripts/plot_splits.py"
