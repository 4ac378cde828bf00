"""Tables of labels on which splits are measured: by tests, and by tests/bench/splits.py."""

import csv
from pathlib import Path

import numpy as np

from trailers12k.common.vocabulary import GENRES


def published() -> np.ndarray:
    """The labels of the 12,000 published movies, (12000, 10), in the order of their sets.

    The counts of the 442 sets are those in mtgc.csv of Zenodo 5716410 (Montalvo-Lezama et al.,
    2023).
    """
    with Path(__file__).with_name("published_label_sets.csv").open(newline="") as file:
        rows = [(row["genres"].split("|"), int(row["movies"])) for row in csv.DictReader(file)]
    sets = np.array([[genre in genres for genre in GENRES] for genres, _ in rows], np.int64)
    return np.repeat(sets, [movies for _, movies in rows], axis=0)


def with_rare(labels: np.ndarray, *movies: int) -> np.ndarray:
    """The same labels and further ones, each of so many random movies."""
    random = np.random.default_rng(0)
    rare = np.zeros((len(labels), len(movies)), np.int64)
    for column, count in enumerate(movies):
        rare[random.choice(len(labels), count, replace=False), column] = 1
    return np.hstack([labels, rare])


def latent(movies: int = 1000, labels: int = 30, factors: int = 5) -> np.ndarray:
    """Labels of 2 to 30 % of the movies, which a few latent factors correlate."""
    random = np.random.default_rng(0)
    moods, affinities = random.normal(size=(movies, factors)), random.normal(size=(factors, labels))
    noise = random.normal(size=(movies, labels))
    values = moods @ affinities / factors**0.5 + noise
    shares = np.linspace(0.02, 0.3, labels)
    return np.column_stack(
        [v > np.quantile(v, 1 - share) for v, share in zip(values.T, shares, strict=True)]
    ).astype(np.int64)


def tables(labels: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """Name -> labels, (movies, labels).

    labels: the published ones in their order; without them, those of `published` in random order.
    """
    if labels is None:
        labels = np.random.default_rng(0).permutation(published())
    return {
        "published": labels,
        "1 rare label": with_rare(labels, 2),
        "2 rare labels": with_rare(labels, 2, 5),
        "3 rare labels": with_rare(labels, 1, 3, 8),
        "200 movies": labels[:200],
        "2,000 movies": labels[:2000],
        "30 labels": latent(),
    }
