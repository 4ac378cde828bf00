"""A linear probe and k nearest neighbours on pooled features, for comparisons of splits.

Reads and writes nothing but arrays. Must not know files, stores or the network.

What both choose, they choose by the validation movies' micro average precision.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from trailers12k.evaluation import metrics
from trailers12k.evaluation.rows import KNN, LINEAR

NEIGHBOURS = (1, 3, 5, 10, 20, 50)
STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Inverse strengths of the linear probe's L2 regularisation, scikit-learn's `C`."""


class Labelled(NamedTuple):
    """Movies: features (N, F), labels (N, 10) of 0 and 1."""

    features: np.ndarray
    labels: np.ndarray


def predict(
    classifier: str, training: Labelled, validation: Labelled, test: np.ndarray
) -> np.ndarray:
    """Probabilities of the test movies, (N, 10). classifier: `LINEAR` or `KNN`.

    Features are standardised by the training movies.
    """
    middle, spread = training.features.mean(0), training.features.std(0)
    scale = np.where(spread > 0, spread, 1)
    training, validation = (
        Labelled((each.features - middle) / scale, each.labels) for each in (training, validation)
    )
    fit, options = {LINEAR: (_linear, STRENGTHS), KNN: (_knn, NEIGHBOURS)}[classifier]
    # One thread: with several, sums are added in another order.
    with threadpool_limits(1):
        return _best(fit(training), options, validation, (test - middle) / scale)


Predictor = Callable[[np.ndarray, float], np.ndarray]
"""Features (N, F) and the value of an option -> probabilities (N, 10)."""


def _best(
    predictor: Predictor, options: Sequence[float], validation: Labelled, test: np.ndarray
) -> np.ndarray:
    def quality(option: float) -> float:
        probabilities = predictor(validation.features, option)
        return metrics.scores(validation.labels, probabilities)["uap"]

    return predictor(test, max(options, key=quality))


def _knn(training: Labelled) -> Predictor:
    """The share of each genre among the k nearest training movies by cosine similarity."""
    known = _unit(training.features)

    def predictor(features: np.ndarray, k: float) -> np.ndarray:
        order = np.argsort(-(_unit(features) @ known.T), axis=1, kind="stable")
        means: np.ndarray = training.labels[order[:, : int(k)]].mean(axis=1)
        return means

    return predictor


def _unit(features: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    unit: np.ndarray = features / np.where(lengths > 0, lengths, 1)
    return unit


def _linear(training: Labelled) -> Predictor:
    """Logistic regression of each genre."""
    from sklearn.linear_model import LogisticRegression

    fitted: dict[float, list[LogisticRegression | float]] = {}

    def models(strength: float) -> list[LogisticRegression | float]:
        return [
            LogisticRegression(C=strength, max_iter=500).fit(training.features, labels)
            if len(np.unique(labels)) > 1
            else float(labels[0])
            for labels in training.labels.T
        ]

    def predictor(features: np.ndarray, strength: float) -> np.ndarray:
        if strength not in fitted:
            fitted[strength] = models(strength)
        return np.column_stack(
            [
                np.full(len(features), model)
                if isinstance(model, float)
                else model.predict_proba(features)[:, 1]
                for model in fitted[strength]
            ]
        )

    return predictor
