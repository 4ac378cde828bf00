"""Review: needs the tables of trailers, makes pages on which a person checks and decides."""

# The store of speech, which is described by its manifest.
SPEECH = [f"data/{features.speech_store}.zarr"] if features.speech_store else []
SPEECH_FILES = [file for store in SPEECH for file in (f"{store[:-5]}.csv", f"{store}/.zgroup")]


# Without any training, so that movies can be checked before it.
# Also reads build/sheets/MID.jpg, made beside clips.csv.
rule flag_trailers:
    """List the trailers, and flag those that a person should check first."""
    input:
        movies="data/movies.csv",
        ledger="data/ledger.csv",
        downloaded=movies.per_shard("build/ledger/trailers/{shard}.csv"),
        cut=movies.per_shard("build/ledger/clips/{shard}.csv"),
        heard=movies.per_shard("build/ledger/sound/{shard}.csv"),
        speech=SPEECH_FILES,
        clips="data/clips.csv",
        maps=expand("results/map/{store}.csv", store=features.frame_stores),
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
        stores={store: features.inputs[store] for store in features.used},
        speech=SPEECH,
        code=rule_version("flag_trailers"),
    script:
        "../scripts/flag_trailers.py"


# Makes results/review/{sheets,posters}/MID.jpg and waveforms/MID.png beside its outputs, from those
# that exist in build/.
rule write_review:
    """Write the pages on which trailers are checked."""
    input:
        trailers="results/tables/trailers.csv",
        flags="results/tables/flags.csv",
        clips="data/clips.csv",
        curation="data/curation.csv",
        posters=movies.per_shard("build/ledger/posters/{shard}.csv"),
        speech=SPEECH_FILES,
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
        collection=" + ".join(settings.movies),
        sheets="build/sheets",
        pictures="build/posters",
        waveforms="build/waveforms",
        speech=SPEECH,
        decisions=sources.decisions_folder,
        code=rule_version("write_review"),
    script:
        "../scripts/write_review.py"
