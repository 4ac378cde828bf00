"""Splits: needs the genres of the movies, makes data/mtgc.csv."""


rule make_splits:
    """Divide the movies into training, validation and test, three times."""
    input:
        table=plan.known(TABLE),
        published=plan.published_table,
        earlier=plan.split_tables("extend"),
        groups=plan.split_tables("groups"),
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
        labels=lambda wc: "" if plan.is_published else plan.rows("mid", "genres"),
        settings=plan.config["splits"],
        seed=plan.config["seed"],
        code=plan.code("make_splits", "splits.stratification", "common.seeds"),
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
        code=plan.code("plot_splits", "report.charts", "splits.stratification"),
    script:
        "../scripts/plot_splits.py"
