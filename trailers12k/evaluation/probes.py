"""A linear probe and k nearest neighbours on pooled features, as yardsticks for DIViTA.

Reads and writes nothing but arrays. Must not know files, stores or the network.

Features are standardised by the training movies. What a classifier chooses, it chooses by the
micro average precision of the validation movies; it is not fitted again on these. The caller limits
the linear algebra to one thread (`threadpoolctl`, whose limits are of the process): with several,
sums are added in another order.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
from sklearn.linear_model import LogisticRegression

from trailers12k.common.vocabulary import GENRES
from trailers12k.evaluation.rows import KNN, LINEAR
from trailers12k.evaluation.selection import Choice, choose, predictions_of

STRENGTHS = tuple(10.0**exponent for exponent in range(-5, 3))
"""Inverse strengths of the probe's L2 regularisation, scikit-learn's `C`: 1e-5 to 100. The
probe is Alain & Bengio's (2016, arXiv 1610.01644); the regularisation is chosen on
validation data from a logarithmic grid, as by Kornblith et al. (CVPR 2019, appendix) and Radford
et al. (CLIP, ICML 2021, appendix A.3)."""
PATIENCE = 2
"""Values of `C` without a higher figure after which no larger one is tried: they cost most."""
MAX_ITERATIONS = 300
"""Of L-BFGS, for a genre and a value; each starts from the coefficients of the value before."""
NEIGHBOURS = (1, 2, 5, 10, 20, 50, 100, 200)
"""Values of k: those of Caron et al. (DINO, ICCV 2021), 10, 20, 100 and 200, and smaller ones."""
TEMPERATURE = 0.07
"""A neighbour of cosine similarity s counts exp(s / 0.07), as in Wu et al. (Unsupervised Feature
Learning via Non-Parametric Instance Discrimination, CVPR 2018, section 3.4) and in DINO."""
ROWS = 512
"""Movies whose similarities are in memory at a time."""


class Labelled(NamedTuple):
    """Movies of a split: mids, features (N, F), labels (N, 10) of 0 and 1."""

    mids: list[str]
    features: np.ndarray
    labels: np.ndarray


class Classifier(Protocol):
    """Fitted to training movies, for each value of a hyperparameter."""

    def candidates(self, features: np.ndarray) -> Iterator[tuple[float, np.ndarray]]:
        """Each value, and the probabilities (N, 10) that it gives to movies (N, F)."""

    def predict(self, features: np.ndarray, value: float) -> np.ndarray:
        """Probabilities (N, 10) with one of the values of `candidates`."""

    def unconverged(self, value: float) -> list[str]:
        """Genres whose fit ended at `MAX_ITERATIONS`."""


FARTHEST = 1e6
"""Deviations from the mean beyond which a feature counts as that far: its square is a float32."""


@dataclass(frozen=True)
class Scaling:
    """Mean and deviation of the training movies, both (F,)."""

    middle: np.ndarray
    spread: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray) -> "Scaling":
        """A column of one value is not divided."""
        spread = features.std(axis=0, dtype=np.float64)
        return cls(features.mean(axis=0, dtype=np.float64), np.where(spread > 0, spread, 1))

    def scaled(self, features: np.ndarray) -> np.ndarray:
        """Standardised features, float32, at most `FARTHEST` deviations from the mean."""
        scaled: np.ndarray = (features - self.middle) / self.spread
        return scaled.clip(-FARTHEST, FARTHEST).astype(np.float32)


@dataclass(frozen=True)
class Fitted:
    """A classifier with the value that the validation movies chose."""

    classifier: Classifier
    choice: Choice
    scaling: Scaling

    def predict(self, features: np.ndarray) -> np.ndarray:
        """(N, F) -> probabilities (N, 10) float64."""
        return self.classifier.predict(self.scaling.scaled(features), self.choice.value)

    @property
    def unconverged(self) -> list[str]:
        """Genres whose fit with this value ended at `MAX_ITERATIONS`; none of kNN."""
        return self.classifier.unconverged(self.choice.value)


def fit(
    classifier: str, training: Labelled, validation: Labelled, places: Mapping[str, int]
) -> Fitted:
    """Fit `LINEAR` or `KNN` to training movies, and choose its value by validation movies.

    places: mid -> its position in `SUBSETS`, from a split column. Raises `NotValidation` unless
    `validation` holds validation movies of that split.
    """
    kinds: dict[str, type[LinearProbe] | type[Neighbours]] = {LINEAR: LinearProbe, KNN: Neighbours}
    scaling = Scaling.of(training.features)
    fitted = kinds[classifier](scaling.scaled(training.features), training.labels)
    predicted = (
        (value, predictions_of(validation.mids, validation.labels, probabilities, places))
        for value, probabilities in fitted.candidates(scaling.scaled(validation.features))
    )
    patience = PATIENCE if classifier == LINEAR else None
    return Fitted(fitted, choose(predicted, patience), scaling)


class _Weights(NamedTuple):
    """coefficients: (F, 10). intercepts: (10,). unconverged: numbers of genres."""

    coefficients: np.ndarray
    intercepts: np.ndarray
    unconverged: list[int]


@dataclass
class LinearProbe:
    """Logistic regression of each genre, with L2 regularisation of all but the intercept.

    A genre that all or none of the training movies have is predicted as 1 or 0.
    features: (N, F) float32, standardised. labels: (N, 10).
    """

    features: np.ndarray
    labels: np.ndarray
    _models: dict[float, _Weights] = field(default_factory=dict)

    def candidates(self, features: np.ndarray) -> Iterator[tuple[float, np.ndarray]]:
        """As `Classifier`; a value is fitted on its first use."""
        models = {
            genre: LogisticRegression(warm_start=True, max_iter=MAX_ITERATIONS)
            for genre in np.flatnonzero(np.ptp(self.labels, axis=0)).tolist()
        }
        for strength in STRENGTHS:
            self._models[strength] = self._fit(models, strength)
            yield strength, self.predict(features, strength)

    def predict(self, features: np.ndarray, value: float) -> np.ndarray:
        """As `Classifier`."""
        weights = self._models[value]
        logits = (features @ weights.coefficients).astype(np.float64) + weights.intercepts
        # Beyond 500, exp would overflow; the probability is 0 or 1 long before.
        probabilities: np.ndarray = 1 / (1 + np.exp(-np.clip(logits, -500, 500)))
        constant = np.flatnonzero(np.ptp(self.labels, axis=0) == 0)
        probabilities[:, constant] = self.labels[0, constant]
        return probabilities

    def unconverged(self, value: float) -> list[str]:
        """As `Classifier`."""
        return [GENRES[genre] for genre in self._models[value].unconverged]

    def _fit(self, models: Mapping[int, LogisticRegression], strength: float) -> _Weights:
        count = self.labels.shape[1]
        weights = np.zeros((self.features.shape[1], count), np.float32)
        intercepts, unconverged = np.zeros(count), []
        for genre, model in models.items():
            model.set_params(C=strength).fit(self.features, self.labels[:, genre])
            weights[:, genre], intercepts[genre] = model.coef_[0], model.intercept_[0]
            if model.n_iter_[0] >= MAX_ITERATIONS:
                unconverged.append(genre)
        return _Weights(weights, intercepts, unconverged)


@dataclass
class Neighbours:
    """The weighted share of each genre among the k training movies of the highest cosine.

    All movies as similar as the k-th count, so that the order of the movies does not matter.
    features: (N, F) float32, standardised. labels: (N, 10).
    """

    features: np.ndarray
    labels: np.ndarray

    def candidates(self, features: np.ndarray) -> Iterator[tuple[float, np.ndarray]]:
        """As `Classifier`; similarities are computed once for all values."""
        # A larger k would be all movies.
        counts = [k for k in NEIGHBOURS if k <= len(self.features)]
        yield from zip(counts, self._shares(features, counts), strict=True)

    def predict(self, features: np.ndarray, value: float) -> np.ndarray:
        """As `Classifier`."""
        shares: np.ndarray = self._shares(features, [int(value)])[0]
        return shares

    def unconverged(self, value: float) -> list[str]:
        """None."""
        return []

    def _shares(self, features: np.ndarray, counts: list[int]) -> np.ndarray:
        """(counts, N, 10) float64."""
        known, labels = _unit(self.features).T, self.labels.astype(np.float32)
        shares = np.empty((len(counts), len(features), labels.shape[1]))
        for first in range(0, len(features), ROWS):
            # Copies of a movie must tie: products of equal rows can differ in their last bits.
            similar = np.round(_unit(features[first : first + ROWS]) @ known, 5)
            weights = np.exp((similar - similar.max(axis=1, keepdims=True)) / TEMPERATURE)
            places = [similar.shape[1] - k for k in counts]
            least = np.partition(similar, places, axis=1)[:, places]
            for number in range(len(counts)):
                counted = np.where(similar >= least[:, number, None], weights, 0)
                total = counted.sum(axis=1, dtype=np.float64)[:, None]
                # Sums of float32 can exceed their total in the last bit.
                shares[number, first : first + ROWS] = np.minimum((counted @ labels) / total, 1)
        return shares


def _unit(features: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    unit: np.ndarray = features / np.where(lengths > 0, lengths, 1)
    return unit
