"""Training: needs stores and splits, makes a trained DIViTA per run and split, and its predictions.

Baselines of pooled features are fitted beside it.
"""


# Makes build/packed/STORE.npy beside its output. Large, so that no job ever copies it: a training
# that misses it packs the store itself.
rule pack_store:
    """Put a store into one array, which all its trainings map into memory."""
    input:
        manifest="data/{store}.csv",
        group="data/{store}.zarr/.zgroup",
    output:
        index="build/packed/{store}.csv",
    log:
        "logs/pack_store/{store}.log",
    benchmark:
        "benchmarks/pack_store/{store}.tsv"
    conda:
        "../envs/tables.yaml"
    params:
        code=rule_version("pack_store"),
    script:
        "../scripts/pack_store.py"


rule train_run:
    """Train DIViTA on one split of one run, and predict with the best epoch."""
    input:
        unpack(packed_streams),
        mtgc="data/mtgc.csv",
        stores=features.run_groups,
    output:
        checkpoint="results/runs/{run}/split{split}/best.pt",
        curves="results/runs/{run}/split{split}/curves.csv",
        validation="results/runs/{run}/split{split}/val.csv",
        test="results/runs/{run}/split{split}/tst.csv",
        facts="results/runs/{run}/split{split}/run.json",
    log:
        "logs/train_run/{run}/split{split}.log",
    benchmark:
        "benchmarks/train_run/{run}/split{split}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        gpu=min(1, GPUS),
    params:
        run=features.run_settings,
        settings=plain(settings.training),
        seed=settings.seed,
        code=rule_version("train_run"),
    script:
        "../scripts/train_run.py"


BASELINE_FOLDERS = [row.root.as_posix() for row in features.rows if row.is_baseline]

if BASELINE_FOLDERS:

    # One job, because starts take longer than small fits; it fits only what has changed.
    rule fit_baselines:
        """Fit the baselines of all sets of stores on all splits, and predict with them."""
        input:
            mtgc="data/mtgc.csv",
            packed=expand("build/packed/{store}.csv", store=features.baseline_stores),
        output:
            predictions=expand(
                "{folder}/split{split}/{name}.csv",
                folder=BASELINE_FOLDERS,
                split=SPLITS,
                name=["val", "tst"],
            ),
            facts=baseline_facts(features),
        log:
            "logs/fit_baselines.log",
        benchmark:
            "benchmarks/fit_baselines.tsv"
        conda:
            "../envs/tables.yaml"
        # A collection of one shard is small: its trainings need the other cores.
        threads: min(4, settings.shards)
        resources:
            mem_mb=6000,
        params:
            runs=features.runs,
            baselines=features.baselines,
            code=rule_version("fit_baselines"),
        script:
            "../scripts/fit_baselines.py"
