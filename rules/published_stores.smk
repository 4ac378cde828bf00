"""The authors' stores, for `movies: published`: needs a network or a folder, makes the stores."""


# Also records which kind of collection the folder holds. Without params: nothing that changes later
# makes it run again.
rule measure_record:
    """Report what disk space and time the authors' stores need; fail if the disk is too small."""
    input:
        table="build/published/mtgc.csv",
    output:
        sizes="build/published/sizes.csv",
        collection="build/collection.json",
    log:
        "logs/measure_record.log",
    benchmark:
        "benchmarks/measure_record.tsv"
    localrule: True
    conda:
        "../envs/download.yaml"
    script:
        "../scripts/measure_record.py"


# The group file is an output so that a store that was deleted under its manifest is made again.
rule fetch_store:
    """Fetch, check and unpack one of the authors' stores."""
    input:
        sizes=ancient("build/published/sizes.csv"),
        sums=sources.published_sums,
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
        file=sources.published_store,
    script:
        "../scripts/fetch_store.py"
