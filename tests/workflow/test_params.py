"""What reruns when the configuration changes: the params of every job."""

import shutil
from collections.abc import Iterator

import pytest
import yaml

from trailers12k.common.vocabulary import REQUESTS
from trailers12k.settings import load

from .conftest import IMAGE, ROOT, VIDEO, Project
from .planning import planned_jobs

PLAIN = (str, int, float, bool, type(None))


def values(value) -> Iterator[object]:
    """The leaves of a param: what is neither a list nor a dict."""
    if type(value) is dict:
        for key, each in value.items():
            yield key
            yield from values(each)
    elif type(value) is list:
        for each in value:
            yield from values(each)
    else:
        yield value


@pytest.fixture
def collected(tmp_path, sample):
    """A copy of the project in which movies are collected already."""
    project = Project(tmp_path / "project", {})
    folder = project.folder / "build" / "sources"
    (folder / "files").mkdir(parents=True)
    (folder / "files" / "metadata.tar.gz").touch()
    shutil.copy(sample.folder / "data" / "movies.csv", folder)
    for name in ("records.json", "rejected.json"):
        (folder / name).write_text("[]\n")
    ledger = project.folder / "build" / "ledger" / "trailers12k" / "all.csv"
    ledger.parent.mkdir(parents=True)
    ledger.touch()
    return project


@pytest.mark.parametrize("preset", [None, "trailers12k", "modern", "published"])
def test_only_plain_values_are_params(collected, preset):
    """Snakemake compares no others: a changed record, for example, would rerun nothing."""
    if preset:
        shutil.copy(ROOT / f"presets/{preset}.yaml", collected.folder / "config.yaml")
    jobs = planned_jobs(collected.folder)
    rules = {job.rule for job in jobs}
    assert {"fetch_store" if preset == "published" else "extract_features", "train_run"} <= rules
    found = {
        (job.rule, name, type(value).__name__)
        for job in jobs
        for name, param in job.params.items()
        for value in values(param)
        if type(value) not in PLAIN
    }
    assert found == set()


FEATURES = {"extract_features"}
RANDOM = {"make_random_weights", *FEATURES}
CLIPS = {"detect_clips", *FEATURES}
ROWS = {"render_sample", "download_trailers", "download_posters", "list_movies", "make_splits"}
SCORES = {"score_runs", "compare_rows", "summarize_results", "write_leaderboard"}
STORE, RUN = f"backbones.{IMAGE}", "runs.image"

RERUNS = {
    # key: (another value, the rules whose params change, besides write_config)
    "seed": (
        1,
        {"list_movies", "render_sample", "make_splits", "train_run", "score_runs", "compare_rows"}
        | RANDOM,
    ),
    "curation": ("other.csv", set()),
    "sample.movies": (11, ROWS),
    "sources.trailers12k.metadata": ("m.json", set()),
    "sources.trailers12k.max_megabytes": (400, set()),
    "sources.imdb.files": ("folder", set()),
    "sources.imdb.max_megabytes": (8000, set()),
    "sources.tmdb.parallel": (2, set()),
    "sources.search.candidates": (2, set()),
    "published.files": ("folder", set()),
    "published.keep_archives": (True, set()),
    "downloads.retries": (1, set()),
    "downloads.timeout": (5, set()),
    "downloads.least_rate": (2, set()),
    "downloads.most_time": (7200, set()),
    "downloads.retry_pause": (7200, set()),
    "downloads.private_addresses": (True, set()),
    "downloads.local_files": (True, set()),
    "retry": ("all", {"download_trailers", "download_posters"}),
    "max_failure_rate": (0.9, {"check_failures"}),
    "trailers.parallel": (2, set()),
    "trailers.short_side": (480, {"download_trailers"}),
    "trailers.refetch": ("no_sound", {"download_trailers"}),
    "trailers.max_megabytes": (100, set()),
    "trailers.max_megapixels": (8, set()),
    "trailers.max_minutes": (10, set()),
    "trailers.player_clients": (["mweb"], set()),
    "trailers.po_token": ("mweb.gvs+secret", set()),
    "posters.parallel": (2, set()),
    "posters.max_megabytes": (10, {"download_posters"}),
    "posters.max_megapixels": (8, set()),
    "clips.detector": ("content", CLIPS),
    "clips.min_shot": (7, CLIPS),
    "clips.fps": (12, CLIPS),
    "clips.fpc": (12, CLIPS),
    "clips.keep": (0.6, CLIPS),
    "clips.crop_bars": (True, FEATURES),
    # A store records the licence of its weights.
    "weights": ("pretrained", {"merge_store", *FEATURES}),
    "weights_from": ("folder", set()),
    "device": ("cpu", set()),
    "image_frames": (2, FEATURES),
    "precision": ("bf16", FEATURES),
    f"{STORE}.model": ("torchvision/resnet18", RANDOM),
    f"{STORE}.batch": (1, set()),
    "batch_across": (True, set()),
    f"{STORE}.size": (64, RANDOM),
    f"{STORE}.precision": ("bf16", FEATURES),
    f"{STORE}.image_frames": (3, FEATURES),
    f"{STORE}.sha256": ("0" * 64, set()),
    f"{STORE}.license": ("of random weights", set()),
    "splits.tries": (6, {"make_splits"}),
    "splits.training": (0.6, {"make_splits"}),
    "training.lr": (0.5, {"train_run"}),
    "training.batch": (16, {"train_run"}),
    "training.snippet": (6, {"train_run"}),
    "training.epochs": (4, {"train_run"}),
    "training.patience": (4, {"train_run"}),
    "training.plateau_patience": (4, {"train_run"}),
    "evaluation.also": (["sklearn"], set()),
    # The rows are among the outputs of fit_baselines.
    "evaluation.baselines": (["linear"], {"score_runs", "compare_rows", "write_leaderboard"}),
    "evaluation.resamples": (300, {"compare_rows"}),
    "evaluation.paper": (True, {"summarize_results"}),
    "report.frames": (False, {"draw_report"}),
    f"{RUN}.shuffle_labels": (True, {"train_run", *SCORES}),
    # The sample has no row without training.
    "zero_shot.templates": (["{genre}"], set()),
}
SECRETS = ["trailers.po_token"]
"""Keys that no file of a run holds."""
UNTOUCHED = {
    "movies": "another collection, which the folder refuses",
    "shards": "asks for shards that do not exist yet",
    "trailer": "changes the rules that exist",
    "publish": "decides no result, and is not in results/config.yaml",
    "features": "changes the rules that exist; tests/workflow/test_features.py",
}


def sections_of(config) -> set[str]:
    return {key.split(".")[0] for key in config}


def test_every_section_of_the_configuration_is_covered():
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    assert sections_of(RERUNS) | set(UNTOUCHED) == set(config)


def nested(key: str, value) -> dict:
    for part in reversed(key.split(".")):
        value = {part: value}
    return value


@pytest.fixture(scope="module")
def before(sample) -> dict:
    """The params of every job of the unchanged configuration."""
    return {(job.rule, job.wildcards): job.params for job in planned_jobs(sample.folder)}


@pytest.mark.parametrize("key", RERUNS)
def test_a_changed_key_reruns_the_intended_rules(sample, before, key):
    value, rules = RERUNS[key]
    change = nested(key, value)
    if key == "splits.training":
        change = {"splits": {"training": value, "validation": 0.2}}
    jobs = planned_jobs(sample.folder, change)
    changed = {
        job.rule for job in jobs if before.get((job.rule, job.wildcards), job.params) != job.params
    }
    expected = set(rules) if key in [*REQUESTS, *SECRETS] else {*rules, "write_config"}
    assert changed == expected
    must_run = {job.rule for job in jobs if job.must_run}
    assert changed <= must_run
    if not rules:
        assert must_run - {"all", "write_config", "draw_report"} == NEW.get(key, set())


NEW = {"evaluation.also": {"score_options", "summarize_results", "write_leaderboard"}}
"""Key -> rules whose products or inputs are new."""


def test_an_unchanged_configuration_reruns_nothing(sample):
    assert load(sample.config).collection == "sample" and VIDEO in sample.config["backbones"]
    assert not any(job.must_run for job in planned_jobs(sample.folder))
