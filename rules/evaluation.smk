"""Evaluation: needs predictions and labels, makes the tables under results/."""

RUN = "results/runs/{run}/split{split}"
VARIANTS = [name for name in settings.evaluation.also if name != "sklearn"]
OPTIONS = ["results/transfer/options.csv"] if settings.evaluation.also else []


rule score_runs:
    """Score the predictions of all runs and splits, and chance."""
    input:
        mtgc="data/mtgc.csv",
        predictions=[
            *trained_products(settings, "run.json"),
            *row_products(features, "val.csv", "tst.csv"),
        ],
        stores=expand("data/{store}{end}", store=features.stores, end=[".csv", ".zarr/.zgroup"]),
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
        runs=features.runs,
        baselines=features.baselines,
        seed=settings.seed,
        code=rule_version("score_runs"),
    script:
        "../scripts/score_runs.py"


rule compare_rows:
    """Compute intervals of all rows, and test the differences between every two of them."""
    input:
        mtgc="data/mtgc.csv",
        predictions=row_products(features, "tst.csv"),
    output:
        intervals="results/transfer/intervals.csv",
        comparisons="results/transfer/comparisons.csv",
    log:
        "logs/compare_rows.log",
    benchmark:
        "benchmarks/compare_rows.tsv"
    conda:
        "../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=4000,
    params:
        runs=features.runs,
        baselines=features.baselines,
        resamples=settings.evaluation.resamples,
        seed=settings.seed,
        code=rule_version("compare_rows"),
    script:
        "../scripts/compare_rows.py"


if VARIANTS:

    rule predict_variants:
        """Predict the test movies by evaluation variants, with the same checkpoint."""
        input:
            unpack(packed_streams),
            mtgc="data/mtgc.csv",
            checkpoint="results/runs/{run}/split{split}/best.pt",
        output:
            predictions=expand(f"{RUN}/tst_{{variant}}.csv", variant=VARIANTS, allow_missing=True),
        log:
            "logs/predict_variants/{run}/split{split}.log",
        benchmark:
            "benchmarks/predict_variants/{run}/split{split}.tsv"
        conda:
            "../envs/torch.yaml"
        threads: 1
        resources:
            mem_mb=3000,
        params:
            run=features.run_settings,
            variants=VARIANTS,
            code=rule_version("predict_variants"),
        script:
            "../scripts/predict_variants.py"


rule score_options:
    """Score the evaluation variants."""
    input:
        mtgc="data/mtgc.csv",
        predictions=trained_products(
            settings, "tst.csv", *expand("tst_{variant}.csv", variant=VARIANTS)
        ),
    output:
        options="results/transfer/options.csv",
    log:
        "logs/score_options.log",
    benchmark:
        "benchmarks/score_options.tsv"
    conda:
        "../envs/tables.yaml"
    params:
        runs=list(settings.trained_runs),
        also=list(settings.evaluation.also),
        code=rule_version("score_options"),
    script:
        "../scripts/score_options.py"


rule summarize_results:
    """Write the results table, next to the paper's where that is of the same movies."""
    input:
        mtgc="data/mtgc.csv",
        tst="results/transfer/tst.csv",
        val="results/transfer/val.csv",
        intervals="results/transfer/intervals.csv",
        comparisons="results/transfer/comparisons.csv",
        options=OPTIONS,
        split_effect=split_plan.effect,
        ledger=[] if settings.is_published else "data/ledger.csv",
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
        runs=features.runs,
        paper=settings.compares_with_paper,
        credits=sources.credits,
        code=rule_version("summarize_results"),
    script:
        "../scripts/summarize_results.py"


# Also reads benchmarks/, as draw_report does.
rule write_leaderboard:
    """Write a row for each row of the results table, with what it takes to repeat it."""
    input:
        summary="results/summary.csv",
        mtgc="data/mtgc.csv",
        checkpoints=expand("results/runs/{run}/split0/best.pt", run=settings.trained_runs),
        stores=expand("data/{store}{end}", store=features.stores, end=[".csv", ".zarr/.zgroup"]),
    output:
        leaderboard="results/leaderboard.csv",
    log:
        "logs/write_leaderboard.log",
    benchmark:
        "benchmarks/write_leaderboard.tsv"
    conda:
        "../envs/tables.yaml"
    params:
        runs=features.runs,
        baselines=features.baselines,
        stores=features.stores,
        code=rule_version("write_leaderboard"),
    script:
        "../scripts/write_leaderboard.py"


rule draw_curves:
    """Compare the curves of all runs, as tables and as a figure."""
    input:
        mtgc="data/mtgc.csv",
        predictions=trained_products(settings, "tst.csv"),
        curves=trained_products(settings, "curves.csv"),
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
        runs=list(settings.trained_runs),
        code=rule_version("draw_curves"),
    script:
        "../scripts/draw_curves.py"


rule write_config:
    """Write the configuration of this run, all keys resolved, next to its results."""
    output:
        config="results/config.yaml",
    log:
        "logs/write_config.log",
    benchmark:
        "benchmarks/write_config.tsv"
    conda:
        "../envs/tables.yaml"
    params:
        config=settings.for_results(),
        code=rule_version("write_config"),
    script:
        "../scripts/write_config.py"
