"""Training: needs stores and splits, makes a trained DIViTA per run and split, and its predictions."""


rule pack_store:
    """Put a store into one array, which all its trainings map into memory."""
    input:
        manifest="data/{store}.csv",
        group="data/{store}.zarr/.zgroup",
    output:
        features="build/packed/{store}.npy",
        index="build/packed/{store}.csv",
    log:
        "logs/pack_store/{store}.log",
    benchmark:
        "benchmarks/pack_store/{store}.tsv"
    conda:
        "../envs/torch.yaml"
    params:
        code=plan.code("pack_store", "classifier.dataset"),
    script:
        "../scripts/pack_store.py"


rule train_run:
    """Train DIViTA on one split of one run, and predict with the best epoch."""
    input:
        unpack(PACKED),
        mtgc="data/mtgc.csv",
        stores=lambda wc: [f"data/{store}.zarr/.zgroup" for store in plan.streams(wc.run).values()],
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
        run=lambda wc: plan.runs[wc.run],
        settings=plan.config["training"],
        seed=plan.config["seed"],
        code=plan.code("train_run", "classifier.training", "classifier.divita", "classifier.dataset", "common.seeds"),
    script:
        "../scripts/train_run.py"
