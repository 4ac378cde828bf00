"""The words that several packages share: genres, subsets, streams, statuses, metrics, sources.

Reads and writes nothing. Must not import anything.
"""

GENRES = (
    "action",
    "adventure",
    "comedy",
    "crime",
    "drama",
    "fantasy",
    "horror",
    "romance",
    "sci-fi",
    "thriller",
)
"""The ten genres of Trailers12k, in the column order of its mtgc.csv."""

SUBSETS = ("training", "validation", "test")
"""The subsets of a split. A split column of mtgc.csv holds their positions: 0, 1, 2."""

PREDICTION_FILES = {"validation": "val.csv", "test": "tst.csv"}
"""Subset -> its file of predictions in a run's folder, and of scores in results/transfer."""

SPLITS = ("0", "1", "2")
"""The names of the three splits: columns `split0`, `split1`, `split2`; folders of the same name."""

STREAMS = ("image", "video", "poster", "audio")
"""The inputs of a run; each is read from one store."""

STREAM_INPUTS = {"image": "frames", "video": "clips", "poster": "posters", "audio": "audio"}
"""Stream -> the `input` that a store must have to serve as that stream."""

SAMPLE = "sample"
"""The built-in sample, as a source of movies."""

PUBLISHED = "published"
"""The authors' record: their features as a source of movies, and their split columns."""

FILLING = ("tmdb", "search")
"""Sources that complete the movies of other sources and add none."""

SOURCES = (SAMPLE, PUBLISHED, "trailers12k", "imdb", *FILLING)
"""The built-in sources of movies. Every other name in `movies` is the path of a CSV table."""

OK = "ok"
FAILED = "failed"
SKIPPED = "skipped"
STATUSES = (OK, FAILED, SKIPPED)
"""Outcomes of a movie in a stage: values of the ledger's column `status`."""

METRICS = ("uap", "map", "wap", "sap")
"""The paper's four metrics: average precision over all (movie, genre) pairs; its mean over genres;
that mean weighted by the positives of each genre; its mean over movies (sample)."""

METRIC_NAMES = dict(zip(METRICS, ("µAP", "mAP", "wAP", "sAP"), strict=True))
"""Metric -> its name in tables, as the paper writes it."""

UNTRAINED = "untrained"
"""Label of results of models with random weights; code reads the column `pretrained` instead."""

CHANCE = "chance"
CONSTANT = "constant prediction"
"""Rows of the results table; no run may have these names."""
AS_PUBLISHED = "as published"
"""Describes the weights behind the authors' own stores."""

EVALUATION_VARIANTS = ("masked", "whole", "weighted", "sklearn")
"""Evaluations of a trained run that differ from the paper's."""

REQUESTS = ("retry", "trailer")
"""Keys of the configuration that are requests to one command; no result depends on them."""
