"""The paper's four metrics and the average precision of each genre.

Reads and writes nothing but arrays. Must not know files, models or torch.

Average precision here is the trapezoidal area under the precision-recall curve, as in the
published evaluation of Trailers12k (Montalvo-Lezama et al., Information Processing & Management
2023); scikit-learn's `average_precision_score` is a step function and gives other numbers.
"""

import warnings
from collections.abc import Mapping

import numpy as np

from trailers12k.common.vocabulary import GENRES


def average_precision(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Area under the precision-recall curve along the last axis: (..., N) -> (...) fractions.

    labels: 0 or 1. scores: floats of the same shape. Equal scores are one threshold, and thus one
    point of the curve; points are joined by straight lines, from recall 0 and precision 1. Without
    a positive label recall is undefined: such a row gets 0.5, as in the published evaluation (which
    takes recall as 1 and precision as 0).
    """
    order = np.argsort(-scores, axis=-1, kind="stable")
    scores = np.take_along_axis(scores, order, -1)
    hits = np.cumsum(np.take_along_axis(labels, order, -1), axis=-1, dtype=np.int64)

    # Each element of a group of equal scores takes the point at the end of the group. Repeated
    # points add no area, so all rows are computed at once.
    count = scores.shape[-1]
    is_end = np.ones(scores.shape, bool)
    is_end[..., :-1] = scores[..., 1:] != scores[..., :-1]
    ends = np.where(is_end, np.arange(count), count)
    ends = np.minimum.accumulate(ends[..., ::-1], axis=-1)[..., ::-1]
    hits = np.take_along_axis(hits, ends, -1)

    positives = hits[..., -1]
    start = np.zeros((*positives.shape, 1))
    recall = np.concatenate([start, hits / np.maximum(positives, 1)[..., None]], axis=-1)
    precision = np.concatenate([start + 1, hits / (ends + 1)], axis=-1)
    area = (np.diff(recall) * (precision[..., 1:] + precision[..., :-1]) / 2).sum(-1)
    return np.where(positives > 0, area, 0.5)


def scores(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """`METRICS` and the average precision of each of `GENRES`, by name, as fractions of 1.

    labels: (N, 10) of 0 and 1. probabilities: (N, 10) floats. Rows are movies, columns `GENRES`.
    Probabilities are ties when they are equal in the precision of the array. Raises ValueError when
    the shapes differ, a label is neither 0 nor 1, or a probability is not finite.
    """
    labels, probabilities = np.asarray(labels), np.asarray(probabilities)
    _check_labels(labels)
    if labels.shape != probabilities.shape:
        raise ValueError(
            f"{labels.shape} labels but {probabilities.shape} probabilities: one row per movie"
        )
    if not np.isfinite(probabilities).all():
        raise ValueError("a probability is not finite: the training did not converge")

    genres = average_precision(labels.T, probabilities.T)
    positives = labels.sum(0, dtype=np.int64)
    averages = {
        "uap": average_precision(labels.ravel(), probabilities.ravel()),
        "map": genres.mean(),
        # Without any positive label every weighted mean is 0.5.
        "wap": np.average(genres, weights=positives) if positives.any() else 0.5,
        "sap": average_precision(labels, probabilities).mean(),
    }
    return _named(averages, genres)


def step_scores(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """`scores` with scikit-learn's `average_precision_score`, a step function, as area.

    A genre or a movie without positives gets 0 there.
    """
    # Imported here because it takes seconds, which the other metrics do not need.
    from sklearn.metrics import average_precision_score

    averages = {"uap": "micro", "map": "macro", "wap": "weighted", "sap": "samples"}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "No positive class found")
        values = {
            name: average_precision_score(labels, probabilities, average=average)
            for name, average in averages.items()
        }
        genres = average_precision_score(labels, probabilities, average=None)
    return _named(values, genres)


def constant(train_labels: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """The scores of predicting each genre's share of the training subset for every movie.

    train_labels: (M, 10), labels: (N, 10), of 0 and 1. Within a genre all movies tie, so the curve
    is one straight line from precision 1 to the genre's prevalence p, and its trapezoidal area is
    (1 + p) / 2. That is an artefact of the metric, so compare a model with `chance` instead.
    """
    prevalence = _prevalence(train_labels)
    return scores(labels, np.broadcast_to(prevalence, np.shape(labels)))


def chance(
    train_labels: np.ndarray, labels: np.ndarray, draws: int = 200, seed: int = 0
) -> dict[str, float]:
    """The scores of a ranking without information: `constant` with ties broken at random.

    It is the mean of `scores` over `draws` random orders. Genres of different prevalence keep their
    order, which a model learns from the labels alone; movies, and genres of equal prevalence, are
    in random order. On few movies the scores exceed the prevalence, because a short
    precision-recall curve is biased upwards, for models and chance alike.
    """
    if draws < 1:
        raise ValueError(f"draws={draws}: at least one random order is needed")
    # Ranks are integers, so jitter below 1 cannot swap genres of different prevalence.
    _, rank = np.unique(_prevalence(train_labels), return_inverse=True)
    generator = np.random.default_rng(seed)
    results = [
        scores(labels, rank + 0.5 * generator.random(np.shape(labels))) for _ in range(draws)
    ]
    return {name: float(np.mean([result[name] for result in results])) for name in results[0]}


def _prevalence(labels: np.ndarray) -> np.ndarray:
    labels = np.asarray(labels)
    _check_labels(labels)
    prevalence: np.ndarray = labels.mean(0)
    return prevalence


def _named(averages: Mapping[str, float], genres: np.ndarray) -> dict[str, float]:
    pairs = [*averages.items(), *zip(GENRES, genres, strict=True)]
    return {name: float(value) for name, value in pairs}


def _check_labels(labels: np.ndarray) -> None:
    if labels.ndim != 2 or labels.shape[1] != len(GENRES) or not len(labels):
        raise ValueError(f"labels of shape {labels.shape}; expected (movies, {len(GENRES)})")
    if not np.isin(labels, (0, 1)).all():
        raise ValueError("a label is neither 0 nor 1")
