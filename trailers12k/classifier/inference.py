"""Genre probabilities of movies, and the validation loss, from a model and packed stores.

Reads packed stores and checkpoints; writes predictions as CSV. Must not know how models are trained
or how predictions are scored.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from trailers12k.classifier.checkpoint import TrainingSettings, load
from trailers12k.classifier.divita import DIViTA
from trailers12k.classifier.labels import load_split
from trailers12k.classifier.packed import PackedStore
from trailers12k.classifier.snippets import (
    Batch,
    common_movies,
    evaluation_batches,
    whole_trailers,
)
from trailers12k.common.files import write_csv
from trailers12k.common.vocabulary import GENRES

log = logging.getLogger(__name__)


def logits_of(model: DIViTA, batch: Batch, valid: Tensor | None = None) -> Tensor:
    """The logits of a batch, (W, 10), on the device of the model. valid: see `DIViTA.forward`."""
    device = next(model.parameters()).device
    snippets = {name: rows.to(device) for name, rows in batch.snippets.items()}
    logits: Tensor = model(snippets, None if valid is None else valid.to(device))
    return logits


@torch.inference_mode()
def predict(
    model: DIViTA,
    streams: Mapping[str, PackedStore],
    mids: Sequence[str],
    settings: TrainingSettings,
    variant: str = "",
) -> np.ndarray:
    """Genre probabilities, (len(mids), 10) float32: the mean over the windows of each trailer.

    As in the published evaluation, a padded last window has the same weight as the others, unless
    `variant` is one of `EVALUATION_VARIANTS`. masked: padding is ignored. whole: a trailer is one
    sequence. weighted: a window counts by its clips.
    Every movie must be in all streams. Raises ValueError, naming the movie, when a probability is
    not finite.
    """
    total = torch.zeros(len(mids), len(GENRES))
    weights = torch.zeros(len(mids), 1)
    for logits, batch in _evaluate(model, streams, mids, settings, variant):
        clips = batch.valid.sum(1, keepdim=True).cpu()
        weight = clips.float() if variant == "weighted" else torch.ones(len(clips), 1)
        total.index_add_(0, batch.movies, logits.cpu().sigmoid() * weight)
        weights.index_add_(0, batch.movies, weight)
    probabilities = (total / weights).numpy()
    finite = np.isfinite(probabilities).all(1)
    if not finite.all():
        raise ValueError(
            f"the prediction of {mids[int(np.argmin(finite))]} is not finite; check its features "
            "for NaN"
        )
    return probabilities


@torch.inference_mode()
def validation_loss(
    model: DIViTA,
    streams: Mapping[str, PackedStore],
    mids: Sequence[str],
    targets: Tensor,
    settings: TrainingSettings,
) -> float:
    """The mean over batches of the mean loss over the windows of a batch, as published.

    A last, smaller batch thus has the same weight as a full one, and a long trailer more weight
    than a short one. targets: (len(mids), 10) float32, on the device of the model.
    """
    losses = [
        binary_cross_entropy_with_logits(logits, targets[batch.movies.to(targets.device)])
        for logits, batch in _evaluate(model, streams, mids, settings)
    ]
    return torch.stack(losses).double().mean().item()


def predict_test(
    checkpoint: str | Path,
    streams: Mapping[str, PackedStore],
    mtgc: str | Path,
    split: int,
    variant: str,
    out: str | Path,
) -> None:
    """Write the predictions of a split's test movies in an evaluation variant. See `predict`."""
    model, settings = load(checkpoint)
    requested, _ = load_split(mtgc, split, "test")
    mids = common_movies({name: packed.clips for name, packed in streams.items()}, requested)
    log.info("%s: %d of %d movies are in all stores", variant, len(mids), len(requested))
    write_predictions(out, mids, predict(model, streams, mids, settings, variant))


def write_predictions(path: str | Path, mids: Sequence[str], probabilities: np.ndarray) -> None:
    """Write a CSV with `mid` and a probability per genre, (len(mids), 10) float32."""
    rows = [
        # Nine digits represent a float32 exactly.
        {"mid": mid} | {genre: f"{p:.9g}" for genre, p in zip(GENRES, row, strict=True)}
        for mid, row in zip(mids, probabilities, strict=True)
    ]
    write_csv(path, ("mid", *GENRES), rows)


def _evaluate(
    model: DIViTA,
    streams: Mapping[str, PackedStore],
    mids: Sequence[str],
    settings: TrainingSettings,
    variant: str = "",
) -> Iterator[tuple[Tensor, Batch]]:
    """Per batch of movies: the logits of its windows, (W, 10), and the batch."""
    model.eval()
    if variant == "whole":
        batches = whole_trailers(streams, mids)
    else:
        batches = evaluation_batches(streams, mids, settings.batch, settings.snippet)
    for batch in batches:
        yield logits_of(model, batch, batch.valid if variant == "masked" else None), batch
