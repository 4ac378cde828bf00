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
        code=plan.code("score_runs", "evaluation.metrics", "evaluation.summary", "common.seeds"),
    script:
        "../scripts/score_runs.py"


if plan.ways:

    rule predict_otherwise:
        """Predict the test movies in other ways than the paper's, with the same checkpoint."""
        input:
            unpack(PACKED),
            mtgc="data/mtgc.csv",
            checkpoint="results/runs/{run}/split{split}/best.pt",
        output:
            predictions=expand("results/runs/{{run}}/split{{split}}/tst_{way}.csv", way=plan.ways),
        log:
            "logs/predict_otherwise/{run}/split{split}.log",
        benchmark:
            "benchmarks/predict_otherwise/{run}/split{split}.tsv"
        conda:
            "../envs/torch.yaml"
        threads: 1
        resources:
            mem_mb=3000,
        params:
            run=lambda wc: plan.runs[wc.run],
            ways=plan.ways,
            code=plan.code("predict_otherwise", "classifier.training", "classifier.divita", "classifier.dataset"),
        script:
            "../scripts/predict_otherwise.py"


rule score_options:
    """Score the other ways to evaluate, beside the paper's."""
    input:
        mtgc="data/mtgc.csv",
        predictions=plan.trained("tst.csv", *(f"tst_{way}.csv" for way in plan.ways)),
    output:
        options="results/transfer/options.csv",
    log:
        "logs/score_options.log",
    benchmark:
        "benchmarks/score_options.tsv"
    conda:
        "../envs/tables.yaml"
    params:
        runs=list(plan.runs),
        also=plan.config["evaluation"]["also"],
        code=plan.code("score_options", "evaluation.metrics", "evaluation.summary"),
    script:
        "../scripts/score_options.py"


rule summarize_results:
    """Write the results table, beside the paper's."""
    input:
        tst="results/transfer/tst.csv",
        val="results/transfer/val.csv",
        options=plan.options(),
        ledger=[] if plan.is_published else "data/ledger.csv",
    output:
        csv=report("results/summary.csv", "../captions/results.rst", "Results"),
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
        code=plan.code("summarize_results", "evaluation.summary", "jobs.ledger"),
    script:
        "../scripts/summarize_results.py"


rule draw_curves:
    """Put the curves of all runs beside each other, as tables and as a picture."""
    input:
        mtgc="data/mtgc.csv",
        predictions=plan.trained("tst.csv"),
        curves=plan.trained("curves.csv"),
        tst="results/transfer/tst.csv",
        splits="results/splits.csv",
    output:
        precision_recall="results/curves/precision_recall.csv",
        learning="results/curves/learning.csv",
        genres="results/curves/genres.csv",
        balance="results/curves/balance.csv",
        svg="results/figures/curves.svg",
        png=report("results/figures/curves.png", "../captions/curves.rst", "Results"),
    log:
        "logs/draw_curves.log",
    benchmark:
        "benchmarks/draw_curves.tsv"
    conda:
        "../envs/tables.yaml"
    params:
        runs=list(plan.runs),
        code=plan.code("draw_curves", "evaluation.curves", "report.charts", "evaluation.summary"),
    script:
        "../scripts/draw_curves.py"


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
        config=plan.settings,
        code=plan.code("write_config", "settings.validation"),
    script:
        "../scripts/write_config.py"
