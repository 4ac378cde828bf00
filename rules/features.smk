"""Features: needs trailers and clips, or posters; makes a store per backbone."""


# Keeps its arrays in build/features/STORE/SHARD.zarr beside its output.
rule extract_features:
    """Compute one backbone's features of a shard."""
    input:
        unpack(features.feature_inputs),
    output:
        ledger="build/ledger/{store}/{shard}.csv",
        group="build/features/{store}/{shard}.zarr/.zgroup",
    log:
        "logs/extract_features/{store}/{shard}.log",
    benchmark:
        "benchmarks/extract_features/{store}/{shard}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: DECODERS
    resources:
        mem_mb=2500 + 1500 * DECODERS,
        gpu=min(1, GPUS),
    params:
        settings=features.feature_settings,
        repairs=features.shard_repairs,
    script:
        "../scripts/extract_features.py"


# The manifest lists the arrays of the store, and is written last. The group file is an output so
# that a store that was deleted under its manifest is made again.
rule merge_store:
    """Put one backbone's features of all shards into its store."""
    input:
        ledgers=movies.per_shard("build/ledger/{store}/{shard}.csv"),
        groups=movies.per_shard("build/features/{store}/{shard}.zarr/.zgroup"),
    output:
        manifest="data/{store}.csv",
        group="data/{store}.zarr/.zgroup",
    log:
        "logs/merge_store/{store}.log",
    benchmark:
        "benchmarks/merge_store/{store}.tsv"
    conda:
        "../envs/tables.yaml"
    params:
        repairs=features.store_repairs,
        code=rule_version("merge_store"),
    script:
        "../scripts/merge_store.py"
