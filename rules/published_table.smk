"""The authors' table: needs a network or a folder, makes build/published/mtgc.csv."""


rule fetch_published_table:
    """Fetch and check the authors' table of labels and splits."""
    output:
        table="build/published/mtgc.csv",
    log:
        "logs/fetch_published_table.log",
    benchmark:
        "benchmarks/fetch_published_table.tsv"
    localrule: True
    conda:
        "../envs/download.yaml"
    params:
        file=sources.published_labels,
    script:
        "../scripts/fetch_published_table.py"
