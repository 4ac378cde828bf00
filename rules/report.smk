"""The report: needs all that a run has made, makes tables of it, pictures, and one page."""

# Of movies, trailers and the map there is nothing to tell where features are the authors' own.
OF_MOVIES = [] if plan.is_published else ["measures", "histograms"]
LISTED = [] if plan.is_published else "results/tables/trailers.csv"
OF_RUNS = ["funnel", "genres", "cooccurrence", "mistakes", "stores", "versions"]


rule describe_run:
    """Tell what this run holds and what became of it, as tables."""
    input:
        mtgc="data/mtgc.csv",
        movies=[] if plan.is_published else "data/movies.csv",
        ledger=[] if plan.is_published else "data/ledger.csv",
        trailers=LISTED,
        predictions=plan.trained("tst.csv"),
        stores=plan.merged(),
    output:
        tables=expand("results/tables/{name}.csv", name=OF_RUNS + OF_MOVIES),
    log:
        "logs/describe_run.log",
    benchmark:
        "benchmarks/describe_run.tsv"
    conda:
        "../envs/tables.yaml"
    params:
        runs=list(plan.runs),
        stores={store: spec["input"] for store, spec in plan.stores.items()},
        used=plan.used,
        code=plan.code("describe_run", "report.tables", "common.movie", "movies.metadata"),
    script:
        "../scripts/describe_run.py"


rule map_features:
    """Lay the movies of one store out on a plane, and find the nearest of each."""
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
        code=plan.code("map_features", "report.embedding"),
    script:
        "../scripts/map_features.py"


# Also reads what Snakemake writes of every job into benchmarks/, which is different in each run: as
# late as can be, and told in a file that nothing else reads. Small frames of trailers, where the page
# has any, come from build/sheets/, beside the clips.
rule draw_report:
    """Sum up costs, draw what is left to draw, and put all pictures and numbers into one page."""
    input:
        **{name: f"results/tables/{name}.csv" for name in OF_RUNS + OF_MOVIES},
        splits="results/splits.csv",
        drawn="results/figures/splits.svg",
        summary="results/summary.csv",
        tst="results/transfer/tst.csv",
        options=plan.options(),
        precision_recall="results/curves/precision_recall.csv",
        learning="results/curves/learning.csv",
        genre_results="results/curves/genres.csv",
        config="results/config.yaml",
        before=["results/figures/curves.svg", *plan.tables_of_movies],
        maps=expand("results/map/{store}.csv", store=plan.stores),
        trailers=LISTED,
        flags=[] if plan.is_published else "results/tables/flags.csv",
        curation=[] if plan.is_published else "data/curation.csv",
        labels="data/mtgc.csv" if plan.is_published else [],
    output:
        page="results/report/index.html",
        costs="results/costs.csv",
        svg=expand("results/figures/{name}.svg", name=plan.pictures),
        png=[
            report(f"results/figures/{name}.png", f"../captions/{caption}.rst", category)
            for name, (caption, category) in plan.pictures.items()
        ],
    log:
        "logs/draw_report.log",
    benchmark:
        "benchmarks/draw_report.tsv"
    conda:
        "../envs/tables.yaml"
    params:
        known=[*plan.stores, *plan.runs],
        credits=plan.credits,
        frames=plan.config["report"]["frames"],
        code=plan.code(
            "draw_report",
            *("report.page", "report.charts", "report.thumbnails", "video.contact_sheets", "report.tables"),
            *("report/templates/report.html.j2", "report/templates/report.css", "report/templates/report.js"),
        ),
    script:
        "../scripts/draw_report.py"
