"""Words that several packages share: genres, subsets, splits, streams, sources, metrics.

Reads and writes nothing. Must not know what anyone does with them.
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
"""The ten genres of Trailers12k, in the order of its mtgc.csv."""


FIGURES = ("uap", "map", "wap", "sap")
"""Over all (movie, genre) pairs; mean over genres; the same weighted by the genres' positives; mean
over movies. The paper's columns µAP, mAP, wAP and sAP, in its order."""


UNTRAINED = "untrained"
"""The word for random weights in tables and messages. For people: code reads `pretrained`."""


CHANCE = "chance"

CONSTANT = "constant prediction"

AS_PUBLISHED = "as published"


STREAMS = ("image", "video", "poster")

SPLITS = ("0", "1", "2")


SUBSETS = ("training", "validation", "test")
"""A split column holds their positions: 0, 1, 2."""


SAMPLE = "sample"

PUBLISHED = "published"
"""The authors' own features, or split columns: as `movies`, and as `splits`."""

FILLING = ("tmdb", "search")
"""Sources that know of movies only what is asked."""

SOURCES = (SAMPLE, PUBLISHED, "trailers12k", "imdb", *FILLING)
