"""Review: needs what is known of the trailers, makes pages to look at them and to decide."""


# Without any training, so that movies can be looked at before it.
# Looks at build/sheets/MID.jpg too, where they are: made beside clips.csv, as are its rows.
rule flag_trailers:
    """List what is known of the trailers; tell which a person should look at first, and why."""
    input:
        movies="data/movies.csv",
        ledger="data/ledger.csv",
        downloaded=plan.known(lambda wc: plan.ledgers("trailers")),
        cut=plan.known(lambda wc: plan.ledgers("clips")),
        clips="data/clips.csv",
        maps=[f"results/map/{store}.csv" for store in plan.stores if not plan.of_posters(store)],
    output:
        trailers="results/tables/trailers.csv",
        flags="results/tables/flags.csv",
    log:
        "logs/flag_trailers.log",
    benchmark:
        "benchmarks/flag_trailers.tsv"
    conda:
        "../envs/tables.yaml"
    params:
        sheets="build/sheets",
        stores={store: plan.stores[store]["input"] for store in plan.used},
        code=plan.code("flag_trailers", "report.tables", "review.flags", "review.near_duplicates", "video.contact_sheets", "movies.sources.search"),
    script:
        "../scripts/flag_trailers.py"


# Makes results/review/{sheets,posters}/MID.jpg beside its outputs, from those in build/ that are
# there.
rule write_review:
    """Write the pages on which trailers are looked at and decided about."""
    input:
        trailers="results/tables/trailers.csv",
        flags="results/tables/flags.csv",
        clips="data/clips.csv",
        curation="data/curation.csv",
        posters=plan.known(lambda wc: plan.ledgers("posters")),
    output:
        page="results/review/index.html",
        movies="results/review/movies.js",
    log:
        "logs/write_review.log",
    benchmark:
        "benchmarks/write_review.tsv"
    conda:
        "../envs/tables.yaml"
    params:
        collection=" + ".join(plan.sources),
        sheets="build/sheets",
        pictures="build/posters",
        code=plan.code(
            "write_review",
            *("review.page", "review.flags", "video.contact_sheets"),
            *("review/templates/review.html", "review/templates/review.css", "review/templates/review.js"),
        ),
    script:
        "../scripts/write_review.py"
