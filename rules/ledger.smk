"""The ledger: needs the shards' ledgers of every stage, makes data/ledger.csv and counts."""


rule merge_ledger:
    """Put the shards' ledgers of all stages into one."""
    input:
        sources=plan.source_ledgers(),
        ledgers=plan.known(lambda wc: plan.ledgers(*plan.stages)),
    output:
        ledger="data/ledger.csv",
    log:
        "logs/merge_ledger.log",
    benchmark:
        "benchmarks/merge_ledger.tsv"
    conda:
        "../envs/tables.yaml"
    params:
        rejected=lambda wc: plan.decided_rows(rejected=True),
        code=plan.code("merge_ledger", "jobs.ledger", "movies.curation"),
    script:
        "../scripts/merge_ledger.py"


rule check_failures:
    """Count the failures of some stages; fail when there are too many, or downloads were stopped."""
    input:
        sources=plan.source_ledgers(),
        ledgers=plan.known(
            lambda wc: ["data/ledger.csv"] if wc.stages == "all" else plan.ledgers(wc.stages)
        ),
    output:
        failures="results/failures/{stages}.csv",
    log:
        "logs/check_failures/{stages}.log",
    benchmark:
        "benchmarks/check_failures/{stages}.tsv"
    conda:
        "../envs/tables.yaml"
    params:
        most=plan.config["max_failure_rate"],
        code=plan.code("check_failures", "jobs.ledger"),
    script:
        "../scripts/check_failures.py"
