"""The target rules as data: name of a target -> the files that it asks for.

Reads and writes nothing. Must not know how a file is made.

A target asks for the intermediate products as well as for the last one: after a failed job
Snakemake takes an old product for up to date unless the missing intermediate one is requested too
(issue 3808 of Snakemake). The default target asks for all that data/ and results/ publish: a file
that no target names stays away once it is deleted.
"""

from collections.abc import Iterable
from typing import Any, NoReturn, Protocol

from trailers12k.common.vocabulary import SPLITS
from trailers12k.settings import Settings
from trailers12k.workflow.feature_plan import FeaturePlan
from trailers12k.workflow.movie_list import InputFunction
from trailers12k.workflow.prediction_request import PredictionRequest
from trailers12k.workflow.report_figures import report_figures
from trailers12k.workflow.split_plan import SplitPlan
from trailers12k.workflow.zero_shot_plan import ZeroShotPlan

Files = list[str | InputFunction]
"""Paths, and functions that return paths once the movies are collected."""

METADATA: Files = ["data/movies.csv", "data/metadata.json", "data/curation.csv"]
MOVIE_TABLES: Files = [
    *METADATA,
    "data/clips.csv",
    "data/ledger.csv",
    "results/failures/all.csv",
]
SPLIT_PRODUCTS: Files = [
    "data/mtgc.csv",
    "results/splits.csv",
    "results/figures/splits.png",
    "results/figures/splits.svg",
]
SCORES: Files = [
    "results/transfer/val.csv",
    "results/transfer/tst.csv",
    "results/transfer/intervals.csv",
    "results/transfer/comparisons.csv",
    "results/summary.csv",
    "results/summary.md",
    "results/metrics.json",
    "results/leaderboard.csv",
    "results/curves/precision_recall.csv",
    "results/curves/learning.csv",
    "results/curves/genres.csv",
    "results/curves/balance.csv",
    "results/figures/curves.png",
    "results/figures/curves.svg",
]
OF_RUN = ("best.pt", "curves.csv", "val.csv", "tst.csv", "run.json")
"""What training writes for each split of a run."""
TABLES = ("funnel", "genres", "cooccurrence", "mistakes", "stores", "versions")
TABLES_OF_MOVIES = ("measures", "histograms")
"""Names of the tables that describe_run writes; the latter only for movies of the run."""
PUBLICATION: Files = ["build/publication.json"]
"""The stamp of publication/, which is written whole."""
REVIEW: Files = ["results/review/index.html", "results/review/movies.js"]


class Shards(Protocol):
    """What a target needs of `MovieList`."""

    def per_shard(self, *patterns: str) -> InputFunction:
        """Patterns of paths, once for each {shard} that has movies."""


class _NoShards:
    def per_shard(self, *patterns: str) -> InputFunction:
        return lambda wildcards: []


def default_files(settings: Settings) -> list[str]:
    """The files that the default target asks for, but those of single shards."""
    targets = target_files(settings, _NoShards(), FeaturePlan(settings), None)
    return [file for file in targets["all"] if isinstance(file, str)]


def target_files(
    settings: Settings,
    movies: Shards,
    features: FeaturePlan,
    prediction: PredictionRequest | None,
) -> dict[str, Files]:
    """Name of each target rule -> its input; `all` is the default."""

    def ledgers(*stages: str) -> Files:
        return [movies.per_shard(*(f"build/ledger/{stage}/{{shard}}.csv" for stage in stages))]

    stores = _expand(["data/{}.csv", "data/{}.zarr/.zgroup"], features.stores)
    packed = _expand(["build/packed/{}.csv"], features.trained)
    sample = ["build/sample/shots/{shard}.csv"] if settings.is_sample else []
    intermediate: Files = [*packed, movies.per_shard(*sample)]
    tables = [] if settings.is_published else MOVIE_TABLES
    options = ["results/transfer/options.csv"] if settings.evaluation.also else []
    variants = [f"tst_{name}.csv" for name in settings.evaluation.also if name != "sklearn"]
    trained = trained_products(settings, *OF_RUN)
    report = report_products(settings, features)
    # The first job records the kind of collection, whichever target is requested.
    collection: Files = [] if settings.is_published else ["build/collection.json"]
    common = [*collection, *ledgers(*features.stages), *stores, *intermediate, *tables]
    zero_shot = ZeroShotPlan(settings, features)
    # Those of trained runs are in both lists.
    of_rows = dict.fromkeys([*trained, *row_products(features, "val.csv", "tst.csv")])
    plan = SplitPlan(settings)
    splits = [*plan.before, *SPLIT_PRODUCTS]
    evaluated = [*plan.before, "data/mtgc.csv", *of_rows, *options, *SCORES, *plan.products]
    evaluated += [*baseline_facts(features), *zero_shot.products]
    evaluated += trained_products(settings, *variants)
    targets: dict[str, Files] = {
        "all": [*common, *splits, *evaluated, "results/config.yaml", *report],
        "metadata": [*ledgers("trailers"), *METADATA],
        "trailers": [*collection, *ledgers("trailers"), "results/failures/trailers.csv"],
        "posters": [*collection, *ledgers("posters"), "results/failures/posters.csv"],
        "clips": [*collection, *ledgers("trailers", "clips"), "data/clips.csv"],
        "features": [
            *collection,
            *ledgers(*features.stages),
            *stores,
            "data/clips.csv",
            "data/ledger.csv",
        ],
        "weights": [
            *(["build/weights/fetched.csv"] if features.pretrained else []),
            *zero_shot.tokenizers,
        ],
        "splits": [*collection, *splits],
        "evaluate": [*common, *evaluated],
        "report": [*common, *trained, *report],
        "review": [*collection, *ledgers("trailers", "posters", "clips", "sound"), *REVIEW],
        # Whoever publishes wants a finished run.
        "publish": [*common, *splits, *evaluated, *report, *PUBLICATION],
        # Trains nothing: the best checkpoint that exists is used.
        "predict": [refused("name a trailer: trailers12k predict FILE_OR_URL")],
        "status": [refused("status is a command: trailers12k status")],
        "diff": [refused("diff is a command: trailers12k diff FROM [TO]")],
    }
    if prediction:
        targets["predict"] = [*prediction.products]
    if settings.is_published:
        reason = "review: movies: published has features, but no trailers to look at"
        targets["review"] = [refused(reason)]
        reason = "publish: movies: published has the authors' own features, published already"
        targets["publish"] = [refused(reason)]
    return targets


def described_tables(is_published: bool) -> list[str]:
    """The names of the tables that describe_run writes."""
    return [*TABLES, *(() if is_published else TABLES_OF_MOVIES)]


def report_products(settings: Settings, features: FeaturePlan) -> Files:
    """The page of the report, the tables that it links, and every figure in both its formats."""
    of_trailers = [] if settings.is_published else ["trailers", "flags"]
    tables = [*described_tables(settings.is_published), *of_trailers]
    figures = report_figures(features.stores, settings.is_published)
    return [
        "results/report/index.html",
        "results/costs.csv",
        *_expand(["results/tables/{}.csv"], tables),
        *_expand(["results/map/{}.csv"], features.stores),
        *_expand(["results/figures/{}.svg", "results/figures/{}.png"], figures),
    ]


def trained_products(settings: Settings, *names: str) -> list[str]:
    """Files of every trained run and split."""
    return [
        f"results/runs/{run}/split{split}/{name}"
        for run in settings.trained_runs
        for split in SPLITS
        for name in names
    ]


def row_products(features: FeaturePlan, *names: str) -> list[str]:
    """Files of every row of the results table and every split."""
    return [
        (row.folder(split) / name).as_posix()
        for row in features.rows
        for split in SPLITS
        for name in names
    ]


def baseline_facts(features: FeaturePlan) -> list[str]:
    """What each baseline chose on the validation movies."""
    folders = [row.root for row in features.rows if row.is_baseline]
    return [f"{folder.as_posix()}/facts.json" for folder in folders]


def refused(message: str) -> InputFunction:
    """An input function that ends Snakemake with one line."""

    def refuse(wildcards: Any) -> NoReturn:
        # Of all exceptions Snakemake passes this one on as it is.
        raise SystemExit(f"error: {message}")

    return refuse


def _expand(patterns: Iterable[str], names: Iterable[str]) -> Files:
    names = list(names)
    return [pattern.format(name) for pattern in patterns for name in names]
