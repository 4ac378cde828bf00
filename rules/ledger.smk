"""The ledger: needs the shards' ledgers of every stage, makes data/ledger.csv."""


rule merge_ledger:
    """Put the shards' ledgers of all stages into one."""
    input:
        ledgers=plan.ledgers(*plan.stages),
    output:
        ledger="data/ledger.csv",
    log:
        "logs/merge_ledger.log",
    benchmark:
        "benchmarks/merge_ledger.tsv"
    conda:
        "../envs/tables.yaml"
    params:
        code=plan.code("merge_ledger", "ledger"),
    script:
        "../scripts/merge_ledger.py"
