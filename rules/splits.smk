"""Splits: needs the genres of the movies, makes data/mtgc.csv."""


rule make_splits:
    """Divide the movies into training, validation and test, three times."""
    input:
        table=plan.known(TABLE),
    output:
        mtgc="data/mtgc.csv",
    log:
        "logs/make_splits.log",
    benchmark:
        "benchmarks/make_splits.tsv"
    conda:
        "../envs/tables.yaml"
    params:
        labels=lambda wc: plan.rows("mid", "genres"),
        settings=plan.config["splits"],
        seed=plan.config["seed"],
        code=plan.code("make_splits", "splits", "seeds"),
    script:
        "../scripts/make_splits.py"
