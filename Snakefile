"""Trailers12k: from a list of movies to the paper's results table.

`snakemake --cores all` runs what config.yaml describes; docs/ explains the rest.
"""

import gc
import sys
from pathlib import Path

from snakemake.persistence import MetadataRecord
from snakemake.utils import min_version

# What is read here stays until the end. The search for garbage would go through all of it again and
# again: a fifth of the time of a dry run.
gc.disable()

# The folder of this file. workflow.basedir is the caller's where another Snakefile uses this one as a
# module. Jobs in environments of their own (--sdm conda) find the package here; it is not installed
# there.
HERE = workflow.current_basedir.get_path_or_uri(secret_free=True)
sys.path.append(HERE)

from trailers12k.jobs.result_cache import record_forced
from trailers12k.jobs.unused_results import touch_current
from trailers12k.settings import load
from trailers12k.settings.files import check_keys
from trailers12k.workflow import cluster_jobs, cluster_nodes, folder, snakemake_memory
from trailers12k.workflow.clone import check_paths
from trailers12k.workflow.closing_words import closing_words
from trailers12k.workflow.executors import use_own_slurm_executor
from trailers12k.workflow.feature_plan import FeaturePlan
from trailers12k.workflow.model_check import check_models
from trailers12k.workflow.movie_list import MovieList
from trailers12k.workflow.permanent_failures import fail_once
from trailers12k.workflow.prediction_request import prediction_request
from trailers12k.workflow.run_display import display
from trailers12k.workflow.run_display.plan import Movies
from trailers12k.workflow.source_plan import SourcePlan
from trailers12k.workflow.stage_check import error_words
from trailers12k.workflow.targets import target_files
from trailers12k.workflow.user_errors import one_line_errors

min_version("9.0")

if workflow.remote_exec:
    cluster_nodes.keep_products()


with one_line_errors():
    check_paths()
    # Before Snakemake reads it: small files can stand for 10^9 values.
    check_keys(["config.yaml"])


# A folder other than the project's (--directory) need not have a config.yaml. Ignored in a module that
# has a `config:`; keys that it lacks take the defaults of the settings.
configfile: "config.yaml" if Path("config.yaml").exists() else f"{HERE}/config.yaml"


with one_line_errors():
    # On a cluster each job starts its own Snakemake. It uses what the run read at the start, and must
    # not read the movies of all shards again.
    is_run = workflow.is_main_process
    if is_run:
        folder.check_places()
        snakemake_memory.check(MetadataRecord.model_validate)
        check_keys(workflow.configfiles)
    settings = load(config)
    if is_run:
        folder.check(settings.collection)
    movies = MovieList(settings, checks=is_run)
    sources = SourcePlan(settings)
    # Not in jobs: a file that disappears later is one movie's failure.
    if is_run:
        sources.check_tables()
        folder.check_links()
        movies.check_tables()
        movies.check_local_files()
    unused_decisions = movies.unused_decisions if is_run else ""
    if unused_decisions:
        display.say(f"warning: {unused_decisions}", sys.stderr)
    features = FeaturePlan(settings)
    prediction = prediction_request(settings, features)
    targets = target_files(settings, movies, features, prediction)
    features.spread_resources(workflow.resource_settings)
    if is_run:
        check_models(settings)
        use_own_slurm_executor()
    display.register(workflow, lambda: Movies(movies.shards, movies.rejected, features.titles))


# Here, since Snakemake takes no default target from an included file.
rule all:
    default_target: True
    input:
        targets["all"],


# The checkpoint of the sources is left out in jobs: where a workflow has a checkpoint, Snakemake plans
# all that comes before a job in that job once more, with every movie.
OF_MOVIES = ["sample", *(["sources"] if is_run else [])]
OF_MOVIES += ["metadata", "trailers", "posters", "clips", "features", "ledger"]
STAGES = [
    *(["published_stores"] if settings.is_published else [*OF_MOVIES, "review", "publish"]),
    *["published_table", "weights", "splits", "training", "evaluation", "report"],
    *(["zero_shot"] if any(run.zero_shot for run in settings.runs.values()) else []),
    *(["predictions"] if prediction else []),
]

for file in ["targets", "common", *STAGES]:

    include: f"rules/{file}.smk"


gc.freeze()
gc.enable()


onstart:
    with one_line_errors():
        folder.check_products()
        folder.check_inputs(workflow.dag.needrun_jobs())
        cluster_jobs.record(workflow)
    record_forced(workflow.dag_settings)
    fail_once()


onsuccess:
    cluster_jobs.forget()
    touch_current((job.rule.name, job.log[0]) for job in workflow.dag.jobs if job.log)
    display.finish()
    with one_line_errors():
        if movies.unused_decisions != unused_decisions:  # of movies that this run collected
            display.say(f"warning: {movies.unused_decisions}", sys.stderr)
    display.say(closing_words(workflow.dag_settings.targets, prediction, settings), sys.stdout)


onerror:
    display.finish()
    made = set(workflow.dag.jobs) - set(workflow.dag.needrun_jobs())
    files = {str(file) for job in made for file in job.output}
    jobs = [] if display.is_stopped() else workflow.scheduler.failed
    failed = {rule for job in jobs for rule in job.rules}
    display.say(error_words(settings, movies, files, failed), sys.stderr)
