"""Trailers12k: from a list of movies to the paper's results table.

`snakemake --cores all` runs what config.yaml says; README.md tells the rest.
"""

import atexit
import gc
import os
import re
import sys
from pathlib import Path

from snakemake.utils import min_version

# Jobs in environments of their own (--sdm conda) find the package here; it is not installed there.
sys.path.append(workflow.basedir)

from trailers12k.jobs.context import UserError
from trailers12k.movies.movie_table import COLUMNS
from trailers12k.workflow import folder
from trailers12k.workflow.plan import (
    CLIPS_CODE,
    COLLECTED,
    RECORDS,
    SAMPLE_CODE,
    SPLITS,
    Plan,
    closing_words,
    tell_changes,
    tell_status,
)

min_version("9.0")


# Elsewhere than the project (--directory) a config.yaml is of use, but not needed.
configfile: "config.yaml" if Path("config.yaml").exists() else f"{workflow.basedir}/config.yaml"


# A plan is made of many objects that all stay: looking for garbage among them costs a tenth of it
# and finds none.
gc.disable()
# Threads that wait for each other sleep instead of spinning, for the sake of the machine's other
# jobs. Here, since it must stand in the environment before a job loads torch.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


try:
    plan = Plan(config)
    if "predict" in sys.argv[1:] and not plan.prediction:
        raise UserError("name a trailer: snakemake predict --config trailer=FILE_OR_URL")
    if "review" in sys.argv[1:] and plan.is_published:
        raise UserError("review: movies: published has features, but no trailers to look at")
    # No rule, for the reason of `status` below.
    if "diff" in sys.argv[1:]:
        # Else what reads Git complains of modules that are gone before it.
        atexit.register(gc.collect)
        tell_changes(plan)
        sys.exit(0)
except UserError as error:
    sys.exit(f"error: {error}\n")

# No rule, since it must also work while another run holds the lock.
if "status" in sys.argv[1:]:
    tell_status(plan)
    sys.exit(0)

# Before Snakemake looks at what is there; by no job, which reads this file too.
if workflow.is_main_process:
    try:
        folder.check(plan.sources[0] if plan.is_sample or plan.is_published else folder.OWN)
    except UserError as error:
        sys.exit(f"error: {error}\n")


# Never data/movies.csv: Snakemake does not look at a rule's params while a job that makes one of its
# inputs, even an ancient one, is about to run. A new movie would then wait for the next run.
TABLE = lambda wc: ancient([COLLECTED] if plan.collects else plan.tables)
# An array comes with its index, which is small enough to be compared by content: hosts need not agree
# on the time.
PACKED = lambda wc: {
    stream: [ancient(array), index] for stream, (array, index) in plan.packed(wc.run).items()
}
if plan.collects:
    plan.collected = lambda: checkpoints.collect_movies.get()


# With `resources: gpu` a job on networks has a GPU of its own, and its share of the cores to decode
# with; two are left for downloads. See profiles/gpu-workstation.
GPUS = workflow.global_resources.get("gpu").value or 0
DECODERS = max(1, ((workflow.cores or 1) - 2) // GPUS) if GPUS else 1


wildcard_constraints:
    shard=r"\d{3}",
    store="|".join(plan.stores),
    run="|".join(re.escape(run) for run in plan.runs),
    split="|".join(SPLITS),
    stages="trailers|posters|all",
    weights="|".join(re.escape(key) for key in plan.pretrained) or "none",


# Each target asks for the products between as well as for the last one: see Plan.ledgers.
rule all:
    default_target: True
    input:
        plan.known(lambda wc: plan.ledgers(*plan.stages)),
        plan.merged(),
        plan.known(lambda wc: plan.between()),
        plan.tables_of_movies,
        "data/mtgc.csv",
        "results/splits.csv",
        "results/figures/splits.png",
        plan.trained(),
        "results/transfer/val.csv",
        "results/transfer/tst.csv",
        plan.options(),
        "results/summary.md",
        "results/curves/precision_recall.csv",
        "results/curves/learning.csv",
        "results/curves/genres.csv",
        "results/curves/balance.csv",
        "results/figures/curves.png",
        "results/config.yaml",
        "results/report/index.html",


rule metadata:
    input:
        plan.known(lambda wc: plan.ledgers("trailers")),
        "data/movies.csv",
        "data/metadata.json",
        "data/curation.csv",


rule trailers:
    input:
        "results/failures/trailers.csv",
        plan.known(lambda wc: plan.ledgers("trailers")),


rule posters:
    input:
        "results/failures/posters.csv",
        plan.known(lambda wc: plan.ledgers("posters")),


rule clips:
    input:
        plan.known(lambda wc: plan.ledgers("trailers", "clips")),
        "data/clips.csv",


rule features:
    input:
        plan.known(lambda wc: plan.ledgers(*plan.stages)),
        plan.merged(),
        "data/clips.csv",
        "data/ledger.csv",


# All that the configuration needs, so that nothing later wants a network.
rule weights:
    input:
        expand("build/weights/{weights}.json", weights=plan.pretrained),


rule splits:
    input:
        "data/mtgc.csv",
        "results/splits.csv",
        "results/figures/splits.png",


# Trains nothing: the best checkpoint that is there is used.
rule predict:
    input:
        plan.prediction.products if plan.prediction else [],


# Not among `all`: nothing is made of it but what a person decides.
rule review:
    input:
        plan.known(lambda wc: plan.ledgers("trailers", "posters", "clips")),
        "results/review/index.html",
        "results/review/movies.js",


rule evaluate:
    input:
        plan.known(lambda wc: plan.ledgers(*plan.stages)),
        plan.merged(),
        plan.known(lambda wc: plan.between()),
        plan.tables_of_movies,
        "data/mtgc.csv",
        plan.trained(),
        "results/transfer/val.csv",
        "results/transfer/tst.csv",
        plan.options(),
        "results/summary.md",
        "results/curves/precision_recall.csv",
        "results/curves/learning.csv",
        "results/curves/genres.csv",
        "results/curves/balance.csv",
        "results/figures/curves.png",


rule report:
    input:
        plan.known(lambda wc: plan.ledgers(*plan.stages)),
        plan.merged(),
        plan.known(lambda wc: plan.between()),
        plan.tables_of_movies,
        plan.trained(),
        "results/report/index.html",


if not plan.is_published:

    include: "rules/sample.smk"
    include: "rules/sources.smk"
    include: "rules/metadata.smk"
    include: "rules/trailers.smk"
    include: "rules/posters.smk"
    include: "rules/clips.smk"
    include: "rules/features.smk"
    include: "rules/ledger.smk"
    include: "rules/review.smk"


include: "rules/published.smk"
include: "rules/weights.smk"
include: "rules/splits.smk"
include: "rules/training.smk"
include: "rules/evaluation.smk"
include: "rules/report.smk"
include: "rules/predictions.smk"


onstart:
    gc.enable()


onsuccess:
    if plan.prediction and "predict" in workflow.dag_settings.targets:
        atexit.register(print, Path(plan.prediction.products[0]).read_text(encoding="utf-8"))
    if not workflow.dag_settings.targets and Path("results/summary.md").exists():
        # At exit, since Snakemake's own last lines come after this.
        atexit.register(print, closing_words("results/summary.md", not plan.is_published))
