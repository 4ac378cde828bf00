"""Evaluation: needs predictions and labels, makes the tables under results/."""


rule score_runs:
    """Score the predictions of all runs and splits, and chance."""
    input:
        mtgc="data/mtgc.csv",
        predictions=plan.trained("val.csv", "tst.csv", "run.json"),
        stores=plan.merged(),
    output:
        val="results/transfer/val.csv",
        tst="results/transfer/tst.csv",
    log:
        "logs/score_runs.log",
    benchmark:
        "benchmarks/score_runs.tsv"
    conda:
        "../envs/tables.yaml"
    params:
        runs=plan.runs,
        seed=plan.config["seed"],
        code=plan.code("score_runs", "metrics", "summary", "seeds"),
    script:
        "../scripts/score_runs.py"


rule summarize_results:
    """Write the results table, beside the paper's."""
    input:
        tst="results/transfer/tst.csv",
        val="results/transfer/val.csv",
        ledger="data/ledger.csv",
    output:
        csv="results/summary.csv",
        markdown="results/summary.md",
        metrics="results/metrics.json",
    log:
        "logs/summarize_results.log",
    benchmark:
        "benchmarks/summarize_results.tsv"
    conda:
        "../envs/tables.yaml"
    params:
        runs=plan.runs,
        credits=plan.credits,
        code=plan.code("summarize_results", "summary", "ledger"),
    script:
        "../scripts/summarize_results.py"


rule plot_results:
    """Draw the results table."""
    input:
        summary="results/summary.csv",
    output:
        png="results/figures/results.png",
    log:
        "logs/plot_results.log",
    benchmark:
        "benchmarks/plot_results.tsv"
    conda:
        "../envs/tables.yaml"
    params:
        code=plan.code("plot_results", "figures", "summary"),
    script:
        "../scripts/plot_results.py"


rule write_config:
    """Write the configuration of this run, all keys resolved, beside its results."""
    output:
        config="results/config.yaml",
    log:
        "logs/write_config.log",
    benchmark:
        "benchmarks/write_config.tsv"
    conda:
        "../envs/tables.yaml"
    params:
        config={key: value for key, value in plan.config.items() if key != "retry"},
        code=plan.code("write_config", "config"),
    script:
        "../scripts/write_config.py"
