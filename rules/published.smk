"""The authors' record: needs a network or a folder, makes their table of splits, and their stores."""


rule fetch_published_table:
    """Have the authors' table of labels and splits, checked."""
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
        file=lambda wc: plan.published_file("mtgc.csv"),
    script:
        "../scripts/fetch_published_table.py"


if plan.is_published:

    # Without params: once told, it need not be told again.
    rule measure_record:
        """Say what the authors' stores need of disk and time; refuse where the disk is too small."""
        input:
            table="build/published/mtgc.csv",
        output:
            sizes="build/published/sizes.csv",
        log:
            "logs/measure_record.log",
        benchmark:
            "benchmarks/measure_record.tsv"
        localrule: True
        conda:
            "../envs/download.yaml"
        script:
            "../scripts/measure_record.py"

    # The group file is an output for the reason told at merge_store.
    rule fetch_store:
        """Have one of the authors' stores: fetched, checked, unpacked."""
        input:
            sizes=ancient("build/published/sizes.csv"),
        output:
            manifest="data/{store}.csv",
            group="data/{store}.zarr/.zgroup",
        log:
            "logs/fetch_store/{store}.log",
        benchmark:
            "benchmarks/fetch_store/{store}.tsv"
        localrule: True
        conda:
            "../envs/download.yaml"
        resources:
            record_jobs=1,
        params:
            file=lambda wc: plan.published_store(wc.store),
        script:
            "../scripts/fetch_store.py"
