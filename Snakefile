"""Trailers12k: from a list of movies to the paper's results table.

`snakemake --cores all` runs what config.yaml describes; README.md explains the rest.
"""

import sys
from pathlib import Path

from snakemake.utils import min_version

# Jobs in environments of their own (--sdm conda) find the package here; it is not installed there.
sys.path.append(workflow.basedir)

<<<<<<< HEAD
from trailers12k.settings import load
from trailers12k.workflow import folder
from trailers12k.workflow.closing_words import closing_words
from trailers12k.workflow.feature_plan import FeaturePlan
from trailers12k.workflow.movie_list import MovieList
from trailers12k.workflow.prediction_request import prediction_request
from trailers12k.workflow.source_plan import SourcePlan
from trailers12k.workflow.targets import target_files
from trailers12k.workflow.user_errors import one_line_errors
=======
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
>>>>>>> main

min_version("9.0")


# A folder other than the project's (--directory) need not have a config.yaml.
configfile: "config.yaml" if Path("config.yaml").exists() else f"{workflow.basedir}/config.yaml"


with one_line_errors():
    settings = load(config)
    folder.check(settings.collection)
    movies = MovieList(settings)
    sources = SourcePlan(settings)
    features = FeaturePlan(settings)
    prediction = prediction_request(settings, features)
    targets = target_files(settings, movies, features, prediction)


<<<<<<< HEAD
# Here, since Snakemake takes no default target from an included file.
=======
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
>>>>>>> main
rule all:
    default_target: True
    input:
        targets["all"],


include: "rules/targets.smk"
include: "rules/common.smk"


if settings.is_published:

    include: "rules/published_stores.smk"

else:

    include: "rules/sample.smk"
    include: "rules/sources.smk"
    include: "rules/metadata.smk"
    include: "rules/trailers.smk"
    include: "rules/posters.smk"
    include: "rules/clips.smk"
    include: "rules/features.smk"
    include: "rules/ledger.smk"
    include: "rules/review.smk"


include: "rules/published_table.smk"
include: "rules/weights.smk"
include: "rules/splits.smk"
include: "rules/training.smk"
include: "rules/evaluation.smk"
include: "rules/report.smk"


if prediction:

    include: "rules/predictions.smk"


onsuccess:
    print(closing_words(workflow.dag_settings.targets, prediction, settings.is_published))
