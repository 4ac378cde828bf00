"""The report: needs stores and results, makes results/map/ and what is drawn of it all."""


rule map_features:
    """Lay the movies of one store out on a plane, and find the nearest of each."""
    input:
        manifest="data/{store}.csv",
        group="data/{store}.zarr/.zgroup",
    output:
        map="results/map/{store}.csv",
    log:
        "logs/map_features/{store}.log",
    benchmark:
        "benchmarks/map_features/{store}.tsv"
    conda:
        "../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=3000,
    params:
        code=plan.code("map_features", "maps"),
    script:
        "../scripts/map_features.py"
