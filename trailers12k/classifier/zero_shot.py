"""Genres without training: the similarity of a trailer's features to texts about each genre.

Reads a store; writes predictions as CSV. Must not know labels, nor how texts are read: no figure of
any movie chooses anything here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trailers12k.classifier.inference import write_predictions
from trailers12k.common.errors import UserError
from trailers12k.common.vocabulary import GENRES, PREDICTION_FILES, SUBSETS
from trailers12k.features import store as stores
from trailers12k.features.backbones.hub_text import TextTower

EMBEDDING = (
    "each genre: the mean of the L2-normalised embeddings of its texts (each phrase in each "
    "template), normalised again"
)
SCORE = "(1 + c) / 2, where c is the mean over the clips of the cosine of features and embedding"
GENRE = "{genre}"


@dataclass(frozen=True)
class Prompts:
    """The texts about genres. templates: each contains "{genre}". phrases: genre -> what stands in
    its place; of all `GENRES`."""

    templates: Sequence[str]
    phrases: Mapping[str, Sequence[str]]

    def texts(self, genre: str) -> list[str]:
        """All texts about a genre."""
        return [
            template.replace(GENRE, phrase)
            for phrase in self.phrases[genre]
            for template in self.templates
        ]


def embed_genres(network: TextTower, prompts: Prompts) -> np.ndarray:
    """One vector of length 1 for each genre, float64 (10, features).

    The ensemble over prompts is one of embeddings, not of probabilities: Radford et al., Learning
    Transferable Visual Models From Natural Language Supervision (2021), section 3.1.4.
    """
    texts = {genre: prompts.texts(genre) for genre in GENRES}
    vectors = normalized(network.embed([text for own in texts.values() for text in own]))
    ends = np.cumsum([len(own) for own in texts.values()])
    means = [own.mean(0) for own in np.split(vectors, ends[:-1])]
    return normalized(np.stack(means))


def scores(features: np.ndarray, embeddings: np.ndarray) -> np.ndarray:
    """The scores of a trailer, float64 (10,), from 0 to 1.

    features: (clips, features). The mean over clips follows CLIP4Clip's parameter-free similarity,
    a mean of normalised frames (Luo et al., arXiv:2104.08860, section 3.3), but is not normalised
    again: clips that disagree lower a score. Cosines become (1 + c) / 2 for every genre alike.
    That keeps their order within genres and over all of them, on which all metrics rest, and so
    equals any increasing function of them, such as SigLIP's sigmoid with its scale and bias.
    """
    cosines: np.ndarray = normalized(features).mean(0) @ embeddings.T
    halved: np.ndarray = (1 + cosines.clip(-1, 1)) / 2
    return halved


def normalized(vectors: np.ndarray) -> np.ndarray:
    """float64 rows of length 1; a row of zeros stays, whose cosines are 0."""
    rows = vectors.astype(np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    found: np.ndarray = rows / np.where(lengths > 0, lengths, 1)
    return found


def score_store(store: Path, mids: Sequence[str], embeddings: np.ndarray) -> np.ndarray:
    """The scores of movies that are in a store, float64 (len(mids), 10). Raises `UserError`."""
    found = np.zeros((len(mids), len(GENRES)))
    for row, mid in enumerate(mids):
        features = stores.read(store, mid)
        if features.ndim != 2 or features.shape[1] != embeddings.shape[1]:
            raise UserError(
                f"{store}: {mid} has vectors of {features.shape[1:]}, and texts of "
                f"{embeddings.shape[1:]}; both must be of one model"
            )
        found[row] = scores(features, embeddings)
        if not np.isfinite(found[row]).all():
            raise UserError(f"{store}: {mid} holds NaN or infinity; run stores verify --repair")
    return found


def write_split(
    folder: Path, mids: Sequence[str], subsets: np.ndarray, probabilities: np.ndarray
) -> None:
    """Write the predictions of a split's validation and test movies.

    mids: with features. subsets: (N,), of their places in `SUBSETS`. probabilities: (N, 10).
    """
    for subset, name in PREDICTION_FILES.items():
        rows = np.flatnonzero(subsets == SUBSETS.index(subset))
        write_predictions(folder / name, [mids[row] for row in rows.tolist()], probabilities[rows])
