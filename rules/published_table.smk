"""The published table: needs a network or a folder, makes build/published/mtgc.csv."""

if sources.published_sums:

    rule fetch_published_sums:
        """Fetch the md5 of each file of a publication on the web."""
        output:
            sums=sources.published_sums[0],
        log:
            "logs/fetch_published_sums.log",
        benchmark:
            "benchmarks/fetch_published_sums.tsv"
        localrule: True
        conda:
            "../envs/download.yaml"
        params:
            address=sources.published_sums_address,
        script:
            "../scripts/fetch_published_sums.py"


rule fetch_published_table:
    """Fetch and check the published table of labels and splits."""
    input:
        sums=sources.published_sums,
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
