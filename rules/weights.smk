"""Weights: needs a network, a mirror, a folder or the user's files; makes build/weights/."""


# On the host where Snakemake runs, since compute nodes may have no network.
rule fetch_weights:
    """Fetch and check the pretrained weights of one model."""
    input:
        file=features.supplied_weights,
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
        weights=features.weights,
        attempts=features.weights_attempts,
    script:
        "../scripts/fetch_weights.py"
