"""The report: needs the products of all stages, makes tables, figures and one page."""

from trailers12k.workflow.report_figures import report_figures
from trailers12k.workflow.targets import MOVIE_TABLES, described_tables

FIGURES = report_figures(features.stores, settings.is_published)
STORES = expand("data/{store}{end}", store=features.stores, end=[".csv", ".zarr/.zgroup"])
TABLES = described_tables(settings.is_published)


rule describe_run:
    """Describe the movies, stores and runs as tables."""
    input:
        mtgc="data/mtgc.csv",
        movies=unless_published("data/movies.csv"),
        ledger=unless_published("data/ledger.csv"),
        trailers=unless_published("results/tables/trailers.csv"),
        predictions=trained_products(settings, "tst.csv"),
        stores=STORES,
    output:
        tables=expand("results/tables/{name}.csv", name=TABLES),
    log:
        "logs/describe_run.log",
    benchmark:
        "benchmarks/describe_run.tsv"
    conda:
        "../envs/tables.yaml"
    params:
        runs=list(settings.trained_runs),
        stores=features.inputs,
        used=features.used,
        code=rule_version("describe_run"),
    script:
        "../scripts/describe_run.py"


rule map_features:
    """Embed the movies of one store in a plane, and list the nearest neighbours of each."""
    input:
        manifest="data/{store}.csv",
        group="data/{store}.zarr/.zgroup",
    output:
        map="results/map/{store}.csv",
    log:
        "logs/map_features/{store}.log",
    benchmark:
        "benchmarks/map_features/{store}.tsv"
    conda:
        "../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=3000,
    params:
        code=rule_version("map_features"),
    script:
        "../scripts/map_features.py"


# Also reads benchmarks/, which differ in each run: as late as possible, and into results/costs.csv,
# which no other rule reads. The page's thumbnails come from build/sheets/, made beside the clips.
rule draw_report:
    """Sum up costs, draw the remaining figures, and put all figures and numbers into one page."""
    input:
        **{name: f"results/tables/{name}.csv" for name in TABLES},
        splits="results/splits.csv",
        drawn="results/figures/splits.svg",
        summary="results/summary.csv",
        leaderboard="results/leaderboard.csv",
        tst="results/transfer/tst.csv",
        val="results/transfer/val.csv",
        intervals="results/transfer/intervals.csv",
        comparisons="results/transfer/comparisons.csv",
        options=OPTIONS,
        split_effect=split_plan.effect,
        precision_recall="results/curves/precision_recall.csv",
        learning="results/curves/learning.csv",
        genre_results="results/curves/genres.csv",
        config="results/config.yaml",
        before=["results/figures/curves.svg", *unless_published(MOVIE_TABLES)],
        maps=expand("results/map/{store}.csv", store=features.stores),
        trailers=unless_published("results/tables/trailers.csv"),
        flags=unless_published("results/tables/flags.csv"),
        curation=unless_published("data/curation.csv"),
        labels="data/mtgc.csv" if settings.is_published else [],
    output:
        page="results/report/index.html",
        costs="results/costs.csv",
        svg=expand("results/figures/{name}.svg", name=FIGURES),
        png=[
            report(f"results/figures/{name}.png", f"../captions/{caption}.rst", category)
            for name, (caption, category) in FIGURES.items()
        ],
    log:
        "logs/draw_report.log",
    benchmark:
        "benchmarks/draw_report.tsv"
    conda:
        "../envs/tables.yaml"
    params:
        names=[*features.stores, *features.runs, *(group.name for group in features.groups)],
        credits=sources.credits,
        frames=settings.report.frames,
        code=rule_version("draw_report"),
    script:
        "../scripts/draw_report.py"
