"""Target rules: needs and makes nothing itself; trailers12k/workflow/targets.py lists their files.

Also what every rule shares: the values of wildcards, and the share of the machine of a job.
"""

from trailers12k.workflow.targets import target_files, trained_products


wildcard_constraints:
    shard=r"\d{3}",
    store="|".join(features.stores),
    run="|".join(re.escape(run) for run in features.runs),
    split="|".join(SPLITS),
    stages="trailers|posters|all",
    weights="|".join(re.escape(key) for key in features.pretrained) or "none",


# With `resources: gpu`, a job on networks has a GPU of its own, and its share of the cores to decode
# with; two cores are left for downloads. See profiles/gpu-workstation.
GPUS = workflow.global_resources.get("gpu").value or 0
DECODERS = max(1, ((workflow.cores or 1) - 2) // GPUS) if GPUS else 1

for name, files in target_files(settings, movies, features, prediction).items():

    rule:
        name:
            name
        default_target: name == "all"
        input:
            files,
