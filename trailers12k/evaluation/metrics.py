"""The paper's four figures and an average precision per genre, of any table of predictions.

Reads and writes nothing but arrays. Must not know files, models or torch.

Average precision here is the trapezoidal area under the precision-recall curve, as in the
published evaluation of Trailers12k (Montalvo-Lezama et al., Information Processing & Management
2023); scikit-learn's `average_precision_score` is a step function and gives other numbers.
"""

import warnings

import numpy as np

from trailers12k.common.vocabulary import GENRES


def average_precision(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Area under the precision-recall curve along the last axis: (..., N) -> (...) fractions.

    Equal scores are one threshold, so one point of the curve; points are joined by straight lines,
    from recall 0 and precision 1. Without a positive label there is no recall: such a row counts
    0.5, which is what the published evaluation gives it (recall taken as 1, precision as 0).
    """
    order = np.argsort(-scores, axis=-1, kind="stable")
    scores = np.take_along_axis(scores, order, -1)
    found = np.cumsum(np.take_along_axis(labels, order, -1), axis=-1, dtype=np.int64)

    # Every place of a group of equal scores takes the point at the group's end. The repeated points
    # add no area, and no row needs a loop of its own.
    count = scores.shape[-1]
    is_end = np.ones(scores.shape, bool)
    is_end[..., :-1] = scores[..., 1:] != scores[..., :-1]
    ends = np.where(is_end, np.arange(count), count)
    ends = np.minimum.accumulate(ends[..., ::-1], axis=-1)[..., ::-1]
    found = np.take_along_axis(found, ends, -1)

    positives = found[..., -1]
    start = np.zeros((*positives.shape, 1))
    recall = np.concatenate([start, found / np.maximum(positives, 1)[..., None]], axis=-1)
    precision = np.concatenate([start + 1, found / (ends + 1)], axis=-1)
    area = (np.diff(recall) * (precision[..., 1:] + precision[..., :-1]) / 2).sum(-1)
    return np.where(positives > 0, area, 0.5)


def scores(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """`uap, map, wap, sap` and one average precision per genre, as fractions of 1.

    `labels` (N, 10) of 0 and 1, `probabilities` (N, 10) floats: rows are movies, columns `GENRES`.
    Ties are judged in the precision the probabilities come in. Raises ValueError when the shapes
    do not fit, a label is neither 0 nor 1, or a probability is not finite.
    """
    labels, probabilities = np.asarray(labels), np.asarray(probabilities)
    _check_labels(labels)
    if labels.shape != probabilities.shape:
        raise ValueError(
            f"{labels.shape} labels but {probabilities.shape} probabilities: one row a movie"
        )
    if not np.isfinite(probabilities).all():
        raise ValueError("a probability is not finite: the model that made it did not converge")

    genres = average_precision(labels.T, probabilities.T)
    positives = labels.sum(0, dtype=np.int64)
    figures = {
        "uap": average_precision(labels.ravel(), probabilities.ravel()),
        "map": genres.mean(),
        # Without any positive at all every weighting gives 0.5.
        "wap": np.average(genres, weights=positives) if positives.any() else 0.5,
        "sap": average_precision(labels, probabilities).mean(),
    }
    return {
        name: float(value) for name, value in [*figures.items(), *zip(GENRES, genres, strict=True)]
    }


def step_scores(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """`scores` by scikit-learn's `average_precision_score`, a step function, instead of the
    trapezoid. A genre or a movie without positives counts 0 there."""
    # Here, since it takes seconds that no other metric should pay.
    from sklearn.metrics import average_precision_score

    averages = {"uap": "micro", "map": "macro", "wap": "weighted", "sap": "samples"}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "No positive class found")
        figures = {
            name: average_precision_score(labels, probabilities, average=average)
            for name, average in averages.items()
        }
        genres = average_precision_score(labels, probabilities, average=None)
    named = [*figures.items(), *zip(GENRES, genres, strict=True)]
    return {name: float(value) for name, value in named}


def constant(train_labels: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """The scores of predicting each genre's share of the training subset for every movie, as is.

    Beware: within a genre all movies tie, the curve is one straight line from precision 1 to the
    genre's prevalence p, and its trapezoidal area is (1 + p) / 2. That is an artefact of the
    figure and no skill, so `chance` is the line to compare a model with.
    """
    prevalence = _prevalence(train_labels)
    return scores(labels, np.broadcast_to(prevalence, np.shape(labels)))


def chance(
    train_labels: np.ndarray, labels: np.ndarray, draws: int = 200, seed: int = 0
) -> dict[str, float]:
    """What a ranking without information gets: `constant`, its ties broken at random.

    Between genres of different prevalence the order stays (a model learns that much from the labels
    alone); between movies, and between genres that are equally frequent, it is random. The
    mean of `scores` over `draws` random orders. On few movies it lies above the prevalence: a short
    precision-recall curve is biased upwards, for a model just as for chance.
    """
    if draws < 1:
        raise ValueError(f"draws={draws}: at least one random order is needed")
    # Whole numbers in the order of the prevalences, so that the jitter cannot swap two of them.
    _, rank = np.unique(_prevalence(train_labels), return_inverse=True)
    generator = np.random.default_rng(seed)
    results = [
        scores(labels, rank + 0.5 * generator.random(np.shape(labels))) for _ in range(draws)
    ]
    return {name: float(np.mean([result[name] for result in results])) for name in results[0]}


def _prevalence(labels: np.ndarray) -> np.ndarray:
    labels = np.asarray(labels)
    _check_labels(labels)
    return labels.mean(0)


def _check_labels(labels: np.ndarray) -> None:
    if labels.ndim != 2 or labels.shape[1] != len(GENRES) or not len(labels):
        raise ValueError(f"labels of shape {labels.shape}: expected (movies, {len(GENRES)})")
    if not np.isin(labels, (0, 1)).all():
        raise ValueError("a label is neither 0 nor 1")
