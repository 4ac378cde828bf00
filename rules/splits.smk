"""Splits: needs the genres of the movies, makes data/mtgc.csv."""


rule make_splits:
    input:
        movies=ancient("data/movies.csv"),
    output:
        mtgc="data/mtgc.csv",
    params:
        labels=plan.rows("mid", "genres"),
        settings=plan.config["splits"],
        seed=plan.config["seed"],
        code=plan.code("make_splits", "splits", "seeds"),
    log:
        "logs/make_splits.log",
    benchmark:
        "benchmarks/make_splits.tsv"
    conda:
        "../envs/tables.yaml"
    script:
        "../scripts/make_splits.py"
