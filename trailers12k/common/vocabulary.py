"""The words that several packages share: genres, subsets, streams, statuses, metrics, sources.

Reads and writes nothing. Must not import anything outside the standard library.
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

STREAMS = ("image", "video", "poster")
"""The inputs of a run; each is one store."""

STREAM_INPUTS = {"image": "frames", "video": "clips", "poster": "posters"}
"""Stream -> the `input` that a store must have to serve as that stream."""

SAMPLE = "sample"
"""The built-in sample, as a source of movies."""

PUBLISHED = "published"
"""The authors' record: their features as a source of movies, and their split columns."""

FILLING = ("tmdb", "search")
"""Sources that complete the movies of other sources and name none themselves."""

SOURCES = (SAMPLE, PUBLISHED, "trailers12k", "imdb", *FILLING)
"""The built-in sources of movies. Every other name in `movies` is the path of a CSV table."""

OK = "ok"
FAILED = "failed"
SKIPPED = "skipped"
STATUSES = (OK, FAILED, SKIPPED)
"""What became of a movie in a stage, as the ledger's column `status` holds it."""

METRICS = ("uap", "map", "wap", "sap")
"""The paper's four metrics: average precision over all (movie, genre) pairs; its mean over genres;
that mean weighted by the positives of each genre; its mean over movies (sample)."""

UNTRAINED = "untrained"
"""Marks results of models with random weights, for people; code reads the column `pretrained`."""

CHANCE = "chance"
CONSTANT = "constant prediction"
"""Rows of the results table that no run may use as its name."""
AS_PUBLISHED = "as published"
"""Describes the weights behind the authors' own stores."""

EVALUATION_VARIANTS = ("masked", "whole", "weighted", "sklearn")
"""Ways to evaluate a trained run other than the paper's."""

REQUESTS = ("retry", "trailer", "from", "to")
"""Keys of the configuration that ask one command for something and determine no result."""
