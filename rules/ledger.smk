"""The ledger: needs the shards' ledgers of every stage, makes data/ledger.csv and counts."""

ALL_LEDGERS = expand("build/ledger/{stage}/{{shard}}.csv", stage=features.stages)


rule merge_ledger:
    """Put the shards' ledgers of all stages into one."""
    input:
        sources=sources.ledgers,
        ledgers=movies.per_shard(*ALL_LEDGERS),
    output:
        ledger="data/ledger.csv",
    log:
        "logs/merge_ledger.log",
    benchmark:
        "benchmarks/merge_ledger.tsv"
    conda:
        "../envs/tables.yaml"
    params:
        rejected=movies.rejection_rows,
        code=rule_version("merge_ledger"),
    script:
        "../scripts/merge_ledger.py"


rule check_failures:
    """Count the failures of some stages; fail if there are too many or downloads were stopped."""
    input:
        sources=sources.ledgers,
        ledgers=counted_ledgers,
    output:
        failures="results/failures/{stages}.csv",
    log:
        "logs/check_failures/{stages}.log",
    benchmark:
        "benchmarks/check_failures/{stages}.tsv"
    conda:
        "../envs/tables.yaml"
    params:
        max_failure_rate=settings.max_failure_rate,
        code=rule_version("check_failures"),
    script:
        "../scripts/check_failures.py"
