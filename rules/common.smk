"""Shared by the rules: values of wildcards, the share of the machine of a job, input functions."""

import os
import re

from trailers12k.common.vocabulary import SPLITS
from trailers12k.settings import plain
from trailers12k.workflow.code_versions import rule_version
from trailers12k.workflow.download_plan import preferred_file, retry_round_of
from trailers12k.workflow.targets import baseline_facts, row_products, trained_products
from trailers12k.workflow.zero_shot_plan import names_pattern

# Waiting threads sleep instead of spinning, which leaves the cores to other jobs. It must be in the
# environment before a job loads torch.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# With `resources: gpu`, a job on networks has a GPU of its own. See profiles/gpu-workstation.
GPUS = workflow.global_resources.get("gpu").value or 0
# On a cluster no number of cores is set, and `workflow.cores` would refuse.
DECODERS = features.decoders(workflow.resource_settings.cores or 1, GPUS)


wildcard_constraints:
    shard=r"\d{3}",
    store="|".join(features.stores),
    run=names_pattern(settings.trained_runs),
    split="|".join(SPLITS),
    stages="trailers|posters|all",
    name="[A-Za-z0-9_-]+",
    file="[^/]+",
    weights="|".join(re.escape(key) for key in features.pretrained) or "none",


def unless_published(paths):
    """Products of the movies, which do not exist if the features are the authors' own."""
    return [] if settings.is_published else paths


def counted_ledgers(wildcards):
    """The ledgers whose failures a job of check_failures counts."""
    if wildcards.stages == "all":
        return ["data/ledger.csv"]
    return movies.per_shard("build/ledger/{stages}/{shard}.csv")(wildcards)


def packed_streams(wildcards):
    """The packed stores of a job's run: stream -> index, which changes whenever the array does."""
    streams = settings.runs[wildcards.run].streams
    return {stream: f"build/packed/{store}.csv" for stream, store in streams.items()}
