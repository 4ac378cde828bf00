"""Weights: fetched from a network, a mirror or the user's files, or drawn; makes build/weights/."""


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


# For the target `weights`, whose caller must know whether later jobs can do without a network.
rule check_weights:
    """Fail where pretrained weights could not be had."""
    input:
        records=expand("build/weights/{weights}.json", weights=features.pretrained),
    output:
        table="build/weights/fetched.csv",
    log:
        "logs/check_weights.log",
    benchmark:
        "benchmarks/check_weights.tsv"
    localrule: True
    conda:
        "../envs/torch.yaml"
    params:
        weights=list(features.pretrained),
    script:
        "../scripts/check_weights.py"


# Keeps a file per network in build/weights/random/ beside its output.
rule make_random_weights:
    """Calibrate all networks with random weights, whose jobs read the files."""
    output:
        record="build/weights/random.json",
    log:
        "logs/make_random_weights.log",
    benchmark:
        "benchmarks/make_random_weights.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=3000,
    params:
        networks=features.random_networks,
    script:
        "../scripts/make_random_weights.py"
