"""Rows without training: needs a store, its model's text network, and splits; makes predictions."""

from trailers12k.workflow.zero_shot_plan import ZeroShotPlan

zero_shot = ZeroShotPlan(settings, features)


# On the host where Snakemake runs, since compute nodes may have no network.
rule fetch_tokenizer:
    """Fetch the tokenizer of a model of the hub, and try its text network."""
    input:
        weights="build/weights/{weights}.json",
        file=zero_shot.supplied,
    output:
        record="build/tokenizers/{weights}.json",
    log:
        "logs/fetch_tokenizer/{weights}.log",
    benchmark:
        "benchmarks/fetch_tokenizer/{weights}.tsv"
    localrule: True
    conda:
        "../envs/torch.yaml"
    resources:
        mem_mb=4000,
    params:
        weights=features.weights,
    script:
        "../scripts/fetch_tokenizer.py"


rule predict_zero_shot:
    """Predict the movies of all splits by the similarity of features and texts about genres."""
    input:
        unpack(zero_shot.inputs),
        mtgc="data/mtgc.csv",
    output:
        validation=expand("results/runs/{{run}}/split{split}/val.csv", split=SPLITS),
        test=expand("results/runs/{{run}}/split{split}/tst.csv", split=SPLITS),
        record="results/runs/{run}/zero_shot.json",
    log:
        "logs/predict_zero_shot/{run}.log",
    benchmark:
        "benchmarks/predict_zero_shot/{run}.tsv"
    wildcard_constraints:
        run=names_pattern(zero_shot.runs),
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=4000,
    params:
        run=features.run_settings,
        network=zero_shot.network,
        prompts=zero_shot.prompts,
        code=rule_version("predict_zero_shot"),
    script:
        "../scripts/predict_zero_shot.py"
