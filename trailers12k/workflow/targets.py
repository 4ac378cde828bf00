"""The target rules as data: name of a target -> the files that it asks for.

Reads and writes nothing. Must not know how a file is made.

A target asks for the intermediate products as well as for the last one: after a failed job
Snakemake takes an old product for up to date unless the missing intermediate one is requested too
(issue 3808 of Snakemake).
"""

from collections.abc import Iterable
from typing import Any, NoReturn

from trailers12k.common.vocabulary import SPLITS
from trailers12k.settings import Settings
from trailers12k.workflow.feature_plan import FeaturePlan
from trailers12k.workflow.movie_list import InputFunction, MovieList
from trailers12k.workflow.prediction_request import PredictionRequest

Files = list[str | InputFunction]
"""Paths, and functions that return paths once the movies are collected."""

METADATA: Files = ["data/movies.csv", "data/metadata.json", "data/curation.csv"]
MOVIE_TABLES: Files = [
    *METADATA,
    "data/clips.csv",
    "data/ledger.csv",
    "results/failures/all.csv",
]
SPLIT_PRODUCTS: Files = ["data/mtgc.csv", "results/splits.csv", "results/figures/splits.png"]
SCORES: Files = [
    "results/transfer/val.csv",
    "results/transfer/tst.csv",
    "results/summary.md",
    "results/curves/precision_recall.csv",
    "results/curves/learning.csv",
    "results/curves/genres.csv",
    "results/curves/balance.csv",
    "results/figures/curves.png",
]
REPORT: Files = ["results/config.yaml", "results/report/index.html"]
REVIEW: Files = ["results/review/index.html", "results/review/movies.js"]


def target_files(
    settings: Settings,
    movies: MovieList,
    features: FeaturePlan,
    prediction: PredictionRequest | None,
) -> dict[str, Files]:
    """Name of each target rule -> its input; `all` is the default."""

    def ledgers(*stages: str) -> Files:
        return [movies.per_shard(*(f"build/ledger/{stage}/{{shard}}.csv" for stage in stages))]

    stores = _expand(["data/{}.csv", "data/{}.zarr/.zgroup"], features.stores)
    packed = _expand(["build/packed/{}.csv"], features.used)
    sample = ["build/sample/shots/{shard}.csv"] if settings.is_sample else []
    intermediate: Files = [*packed, movies.per_shard(*sample)]
    tables = [] if settings.is_published else MOVIE_TABLES
    options = ["results/transfer/options.csv"] if settings.evaluation.also else []
    trained = trained_products(settings, "run.json")
    # The first job records the kind of collection, whichever target is requested.
    collection: Files = [] if settings.is_published else ["build/collection.json"]
    common = [*collection, *ledgers(*features.stages), *stores, *intermediate, *tables]
    evaluated = ["data/mtgc.csv", *trained, *options, *SCORES]
    targets: dict[str, Files] = {
        "all": [*common, *SPLIT_PRODUCTS, *evaluated, *REPORT],
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
        "weights": ["build/weights/fetched.csv"] if features.pretrained else [],
        "splits": [*collection, *SPLIT_PRODUCTS],
        "evaluate": [*common, *evaluated],
        "report": [*common, *trained, "results/report/index.html"],
        "review": [*collection, *ledgers("trailers", "posters", "clips"), *REVIEW],
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
    return targets


def trained_products(settings: Settings, *names: str) -> list[str]:
    """Files of every run and split; training writes run.json last."""
    return [
        f"results/runs/{run}/split{split}/{name}"
        for run in settings.runs
        for split in SPLITS
        for name in names
    ]


def refused(message: str) -> InputFunction:
    """An input function that ends Snakemake with one line."""

    def refuse(wildcards: Any) -> NoReturn:
        # Of all exceptions Snakemake passes this one on as it is.
        raise SystemExit(f"error: {message}")

    return refuse


def _expand(patterns: Iterable[str], names: Iterable[str]) -> Files:
    names = list(names)
    return [pattern.format(name) for pattern in patterns for name in names]
