"""Features: needs trailers and clips, or posters; makes a store per backbone."""

# One rule per group of stores. Its job reads each trailer of a shard once for all stores of the
# group that lack it, and keeps their arrays in build/features/STORE/SHARD.zarr.
for group in features.groups:

    rule:
        """Compute the features of a shard that the stores of a group lack."""
        name:
            group.rule
        input:
            unpack(features.shard_inputs(group)),
            # Not ancient: Snakemake looks for no other cause in a job behind one that runs.
            calibrations=features.calibrations(group.stores),
        output:
            ledgers=expand("build/ledger/{store}/{{shard}}.csv", store=group.stores),
            groups=expand("build/features/{store}/{{shard}}.zarr/.zgroup", store=group.stores),
        log:
            f"logs/extract_features/{group.name}/{{shard}}.log",
        benchmark:
            f"benchmarks/extract_features/{group.name}/{{shard}}.tsv"
        conda:
            "../envs/torch.yaml"
        threads: DECODERS
        resources:
            mem_mb=3000 + 1500 * DECODERS,
            gpu=min(1, GPUS),
        params:
            settings=features.group_settings(group),
            clips=features.clip_settings(group),
            repairs=features.shard_repairs(group),
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
        stated=features.stated,
        code=rule_version("merge_store"),
    script:
        "../scripts/merge_store.py"
