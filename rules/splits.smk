"""Splits: needs the genres of the movies, makes data/mtgc.csv.

Splits by year need the years; groups of duplicates need the features and the review's flags.
"""

from trailers12k.movies.sources.sample import BROKEN
from trailers12k.workflow.split_plan import SplitPlan

split_plan = SplitPlan(settings)
BROKEN_MOVIES = list(BROKEN.values()) if settings.is_sample else []


if split_plan.by_year:

    rule split_by_year:
        """Assign the oldest movies to training and the newest to test."""
        input:
            tables=ancient(movies.tables),
        output:
            mtgc="data/mtgc.csv",
            balance="results/splits.csv",
        log:
            "logs/split_by_year.log",
        benchmark:
            "benchmarks/split_by_year.tsv"
        conda:
            "../envs/tables.yaml"
        params:
            movies=movies.rows_of("mid", "genres", "year"),
            code=rule_version("split_by_year"),
        script:
            "../scripts/split_by_year.py"

else:

    rule make_splits:
        """Assign the movies to training, validation and test, three times."""
        input:
            tables=ancient(movies.tables),
            published=sources.published_table,
            earlier=sources.split_table("extend"),
            groups=sources.split_table("groups") + split_plan.duplicates,
        output:
            mtgc="data/mtgc.csv",
            balance="results/splits.csv",
        log:
            "logs/make_splits.log",
        benchmark:
            "benchmarks/make_splits.tsv"
        conda:
            "../envs/tables.yaml"
        params:
            labels=movies.rows_of("mid", "genres"),
            broken=BROKEN_MOVIES,
            settings=settings.for_results()["splits"],
            seed=settings.seed,
            code=rule_version("make_splits"),
        script:
            "../scripts/make_splits.py"


if split_plan.by_duplicates:

    rule group_duplicates:
        """Group the movies whose trailers are duplicates, so that they stay in one subset."""
        input:
            movies="data/movies.csv",
            flags="results/tables/flags.csv",
        output:
            groups="build/splits/duplicates.csv",
        log:
            "logs/group_duplicates.log",
        benchmark:
            "benchmarks/group_duplicates.tsv"
        conda:
            "../envs/tables.yaml"
        params:
            code=rule_version("group_duplicates"),
        script:
            "../scripts/group_duplicates.py"


if split_plan.mode:

    # Also makes the standard splits, which nothing else reads.
    rule measure_split_effect:
        """Compare baselines on these splits and on the standard ones."""
        input:
            mtgc="data/mtgc.csv",
            flags="results/tables/flags.csv",
            earlier=sources.split_table("extend"),
            stores=expand("data/{store}{end}", store=features.used, end=[".csv", ".zarr/.zgroup"]),
        output:
            effect="results/split_effect.csv",
            standard="results/standard_splits.csv",
        log:
            "logs/measure_split_effect.log",
        benchmark:
            "benchmarks/measure_split_effect.tsv"
        conda:
            "../envs/tables.yaml"
        threads: 1
        resources:
            mem_mb=4000,
        params:
            mode=split_plan.mode,
            standard=split_plan.standard,
            rows=split_plan.row_stores,
            broken=BROKEN_MOVIES,
            seed=settings.seed,
            code=rule_version("measure_split_effect"),
        script:
            "../scripts/measure_split_effect.py"


rule plot_splits:
    """Draw how evenly the genres are divided."""
    input:
        balance="results/splits.csv",
    output:
        svg="results/figures/splits.svg",
        png=report("results/figures/splits.png", "../captions/splits.rst", "Splits"),
    log:
        "logs/plot_splits.log",
    benchmark:
        "benchmarks/plot_splits.tsv"
    conda:
        "../envs/tables.yaml"
    params:
        code=rule_version("plot_splits"),
    script:
        "../scripts/plot_splits.py"
