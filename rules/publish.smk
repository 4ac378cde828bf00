"""Publication: needs the products of a finished run, makes publication/, a dataset to upload."""

from trailers12k.publish import stamp


# The target `publish` only. publication/ is written whole or not at all, so no output of the rule is
# in it: Snakemake would remove the files of an earlier publication one by one before the job.
rule publish_dataset:
    """Write the archives, tables, pages and sums of a publication."""
    input:
        tables=expand(
            "data/{name}",
            name=["movies.csv", "metadata.json", "mtgc.csv", "clips.csv", "ledger.csv"],
        ),
        decisions="data/curation.csv",
        stores=expand("data/{store}{end}", store=features.stores, end=[".csv", ".zarr/.zgroup"]),
        results=expand(
            "results/{name}",
            name=[
                "summary.csv",
                "summary.md",
                "leaderboard.csv",
                "splits.csv",
                "transfer/tst.csv",
                "transfer/val.csv",
                "transfer/intervals.csv",
                "transfer/comparisons.csv",
            ],
        ),
        described=expand("results/tables/{name}.csv", name=["trailers", "versions"]),
        config="results/config.yaml",
    output:
        stamp="build/publication.json",
    log:
        "logs/publish_dataset.log",
    benchmark:
        "benchmarks/publish_dataset.tsv"
    conda:
        "../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=2000,
    params:
        statements=plain(settings.publish),
        attempts=stamp.attempts,
        code=rule_version("publish_dataset"),
    script:
        "../scripts/publish_dataset.py"
