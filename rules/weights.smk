"""Weights: needs a network, a mirror, a folder or the user's files; makes build/weights/."""


# On the host where Snakemake runs: compute nodes need no network.
rule fetch_weights:
    """Have the pretrained weights of one model, checked."""
    input:
        file=lambda wc: plan.supplied(wc.weights),
    output:
        record="build/weights/{weights}.json",
    log:
        "logs/fetch_weights/{weights}.log",
    benchmark:
        "benchmarks/fetch_weights/{weights}.tsv"
    localrule: True
    conda:
        "../envs/torch.yaml"
    resources:
        mem_mb=2000,
    params:
        weights=lambda wc: plan.pretrained[wc.weights],
    script:
        "../scripts/fetch_weights.py"
