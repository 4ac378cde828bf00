"""Trains DIViTA on one split, keeps the best epoch, and predicts with it.

Reads packed stores; writes a run's folder: best.pt, curves.csv, val.csv, tst.csv and run.json. Must
not know Snakemake, where stores come from, or how predictions are scored.

The procedure is that of Montalvo-Lezama et al. (Information Processing & Management 2023) and their
published trainer. The same inputs, seed and number of threads give the same bytes in every file;
the caller sets `torch.set_num_threads`.
"""

import copy
import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from trailers12k.classifier.adamw import AdamW, Plateau
from trailers12k.classifier.checkpoint import (
    BestEpoch,
    ModelSpec,
    TrainingCheckpoint,
    TrainingSettings,
    save_model,
)
from trailers12k.classifier.divita import DIViTA
from trailers12k.classifier.inference import (
    logits_of,
    predict,
    validation_loss,
    write_predictions,
)
from trailers12k.classifier.packed import PackedStore
from trailers12k.classifier.snippets import Batch, clip_counts, common_movies, training_batches
from trailers12k.common.errors import UserError
from trailers12k.common.files import write_csv, write_json
from trailers12k.common.fingerprint import fingerprint
from trailers12k.common.seeds import seed_for
from trailers12k.common.vocabulary import PREDICTION_FILES, SUBSETS

log = logging.getLogger(__name__)

LOG_EVERY = 10
"""Epochs between two log lines."""


@dataclass(frozen=True)
class TrainingData:
    """Features and labels of one split."""

    streams: Mapping[str, PackedStore]
    mids: Sequence[str]
    """The movies of mtgc.csv; the arrays have a row for each."""
    labels: np.ndarray
    """(N, 10) uint8 of 0 and 1."""
    subsets: np.ndarray
    """(N,): places in `SUBSETS`."""
    fingerprint: str = ""
    """Identifies the features and the code; an unfinished training of another one is ignored."""


@dataclass(frozen=True)
class TrainingRequest:
    """What to train."""

    settings: TrainingSettings
    seed: int
    fusion: str = "late"
    """See `DIViTA`."""
    shuffle_labels: bool = False
    """A control: permutes labels among training and validation movies, so that scores on the
    unchanged test labels are by chance."""
    device: str = "cpu"
    backbone_weights: str = ""
    """Describes the weights of the backbones, for the log and run.json."""
    split: int = 0
    """The number of the split, for messages."""


@dataclass(frozen=True)
class TrainingSummary:
    """The content of run.json."""

    best_epoch: int
    best_val_loss: float
    epochs: int
    movies: dict[str, int]
    """Subset -> movies in all streams."""
    movies_in_split: dict[str, int]
    """Subset -> movies of the split, including those without features."""
    padded: int
    """Training trailers that are shorter than a snippet."""
    seed: int
    shuffle_labels: bool
    backbone_weights: str
    features: dict[str, int]
    settings: dict[str, Any]
    fusion: str


@dataclass(frozen=True)
class EpochRow:
    """A row of curves.csv."""

    epoch: int
    train_loss: float
    val_loss: float
    lr: float

    @property
    def cells(self) -> dict[str, object]:
        """As text with nine significant digits."""
        losses = {"train_loss": f"{self.train_loss:.9g}", "val_loss": f"{self.val_loss:.9g}"}
        return {"epoch": self.epoch, **losses, "lr": f"{self.lr:.9g}"}


def train(
    data: TrainingData,
    request: TrainingRequest,
    folder: str | Path,
    state_file: str | Path | None = None,
) -> TrainingSummary:
    """Train on one split and write the run's folder.

    Movies that are not in every stream are left out and counted. The epoch with the lowest
    validation loss makes `best.pt` (see `checkpoint.load`), `val.csv` and `tst.csv` (`mid` and a
    probability per genre). `curves.csv` has a row per epoch (`EpochRow`), `run.json` the returned
    summary.

    state_file: holds the unfinished training, and is deleted at the end. After a kill the same call
        resumes after the last epoch in the file, and gives the same bytes as without a kill.

    Raises `UserError` when a subset has too few movies, ValueError when streams differ in the
    number of a movie's clips, or a loss or a prediction is not finite.
    """
    folder, settings = Path(folder), request.settings
    rows = _select_movies(data, request.split)
    mids = {subset: [data.mids[row] for row in places] for subset, places in rows.items()}
    labels = data.labels
    if request.shuffle_labels:
        permuted = np.concatenate([rows["training"], rows["validation"]])
        labels = _shuffle_labels(labels, permuted, request.seed)
    targets = {
        subset: torch.from_numpy(labels[places].astype(np.float32)).to(request.device)
        for subset, places in rows.items()
    }
    clips = clip_counts(data.streams)
    padded = sum(clips[mid] < settings.snippet for mid in mids["training"])
    log.info("%d training trailers are shorter than %d clips", padded, settings.snippet)

    features = {name: packed.features for name, packed in data.streams.items()}
    spec = ModelSpec(features, settings, request.fusion)
    checkpoint = None
    if state_file:
        inputs = [mids, labels.tolist(), spec.values, request.seed, request.device]
        key = fingerprint(training=inputs, inputs=data.fingerprint)
        checkpoint = TrainingCheckpoint(state_file, key)
    state = _run_epochs(data.streams, mids, targets, spec, request, checkpoint)
    log.info(
        "best epoch %d of %d: validation loss %.4f (backbone weights: %s)",
        state.best.epoch,
        len(state.curves),
        state.best.val_loss,
        request.backbone_weights or "not recorded",
    )

    state.model.load_state_dict(state.best.model)
    for subset, name in PREDICTION_FILES.items():
        probabilities = predict(state.model, data.streams, mids[subset], settings)
        write_predictions(folder / name, mids[subset], probabilities)
    save_model(folder / "best.pt", state.best, spec)
    curves = [row.cells for row in state.curves]
    write_csv(folder / "curves.csv", list(curves[0]), curves)
    summary = TrainingSummary(
        best_epoch=state.best.epoch,
        best_val_loss=state.best.val_loss,
        epochs=len(state.curves),
        movies={subset: len(mids[subset]) for subset in SUBSETS},
        movies_in_split={s: int((data.subsets == n).sum()) for n, s in enumerate(SUBSETS)},
        padded=padded,
        seed=request.seed,
        shuffle_labels=request.shuffle_labels,
        backbone_weights=request.backbone_weights,
        **spec.values,
    )
    write_json(folder / "run.json", asdict(summary))
    if checkpoint:
        checkpoint.remove()
    return summary


class TrainingState:
    """The model, and everything else that changes from epoch to epoch."""

    def __init__(self, model: DIViTA, settings: TrainingSettings):
        self.model = model
        self.settings = settings
        self.optimizer = AdamW(model.parameters(), settings.lr, settings.weight_decay)
        self.plateau = Plateau(self.optimizer, settings.plateau_patience)
        self.best = BestEpoch(0, math.inf, {})
        self.curves: list[EpochRow] = []

    @property
    def is_over(self) -> bool:
        """Whether training has reached its last epoch or lost its patience."""
        epoch = len(self.curves)
        return epoch >= self.settings.epochs or epoch - self.best.epoch >= self.settings.patience

    def train_epoch(self, batches: Iterable[Batch], targets: Tensor) -> float:
        """Train on the batches of an epoch; returns the mean loss over the movies.

        targets: (movies, 10) float32, on the device of the model.
        """
        self.model.train()
        # Summed on the device, so that a GPU is not waited for at every step.
        total = torch.zeros((), dtype=torch.float64, device=targets.device)
        for batch in batches:
            movies = batch.movies.to(targets.device)
            loss = binary_cross_entropy_with_logits(logits_of(self.model, batch), targets[movies])
            self.optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            total += loss.detach() * len(movies)
        return total.item() / len(targets)

    def end_epoch(self, train_loss: float, val_loss: float) -> None:
        """Record an epoch, keep its model if it is the best, and set the next learning rate.

        Raises ValueError when a loss is not finite.
        """
        epoch, lr = len(self.curves) + 1, self.optimizer.lr
        if not math.isfinite(train_loss + val_loss):
            raise ValueError(
                f"epoch {epoch}: training loss {train_loss}, validation loss {val_loss}; check the "
                f"store for NaN, or lower the learning rate ({lr:g})"
            )
        self.curves.append(EpochRow(epoch, train_loss, val_loss, lr))
        if val_loss < self.best.val_loss:
            self.best = BestEpoch(epoch, val_loss, copy.deepcopy(self.model.state_dict()))
        self.plateau.step(val_loss)
        if epoch % LOG_EVERY == 0:
            log.info("epoch %d: training %.4f, validation %.4f", epoch, train_loss, val_loss)

    def state_dict(self) -> dict[str, Any]:
        """Plain values and tensors from which `load_state_dict` restores this state."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "plateau": self.plateau.state_dict(),
            "best": vars(self.best),
            "curves": [asdict(row) for row in self.curves],
        }

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.model.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.plateau.load_state_dict(saved["plateau"])
        self.best = BestEpoch(**saved["best"])
        self.curves = [EpochRow(**row) for row in saved["curves"]]


def _run_epochs(
    streams: Mapping[str, PackedStore],
    mids: Mapping[str, Sequence[str]],
    targets: Mapping[str, Tensor],
    spec: ModelSpec,
    request: TrainingRequest,
    checkpoint: TrainingCheckpoint | None,
) -> TrainingState:
    """Train from the first epoch, or from the checkpoint, to the last.

    mids, targets: by subset; targets are (movies, 10) float32.
    """
    settings = spec.settings
    # torch's generator draws initial parameters and dropout; numpy's the order and the snippets.
    torch.manual_seed(seed_for(request.seed, "weights"))
    generator = np.random.default_rng(seed_for(request.seed, "snippets"))
    state = TrainingState(spec.build().to(request.device), settings)
    if checkpoint and (saved := checkpoint.restore(generator)):
        state.load_state_dict(saved)
        log.info("resuming after epoch %d", len(state.curves))
    while not state.is_over:
        batches = training_batches(
            streams, mids["training"], settings.batch, settings.snippet, generator
        )
        train_loss = state.train_epoch(batches, targets["training"])
        val_loss = validation_loss(
            state.model, streams, mids["validation"], targets["validation"], settings
        )
        state.end_epoch(train_loss, val_loss)
        if checkpoint:
            checkpoint.save(state.state_dict(), generator)
    return state


def _select_movies(data: TrainingData, split: int) -> dict[str, np.ndarray]:
    """Subset -> rows of the label table, int64, whose movies are in all streams.

    split: its number, for the message of the `UserError` where a subset has too few movies.
    """
    clips = {name: packed.clips for name, packed in data.streams.items()}
    present = set(common_movies(clips, data.mids))
    rows = {}
    for number, subset in enumerate(SUBSETS):
        in_split = np.flatnonzero(data.subsets == number).tolist()
        rows[subset] = np.array([row for row in in_split if data.mids[row] in present], np.int64)
        log.info(
            "%s: %d of %d movies are in all stores%s",
            subset,
            len(rows[subset]),
            len(in_split),
            _lacking([data.mids[row] for row in in_split], data.streams),
        )
        # BatchNorm cannot normalise a single row.
        least = 2 if subset == "training" else 1
        if len(rows[subset]) < least:
            lost = [data.mids[row] for row in in_split if data.mids[row] not in present]
            stores = [packed.path.stem for packed in data.streams.values()]
            raise UserError(
                f"split {split}: {_too_few(subset, len(in_split), least, lost, stores)}; add "
                "movies to the table"
            )
    return rows


def _lacking(mids: Sequence[str], streams: Mapping[str, PackedStore]) -> str:
    """Words that say how many of these movies each store lacks; empty where it lacks none."""
    lacking = {
        packed.path.stem: sum(mid not in packed.clips for mid in mids)
        for packed in streams.values()
    }
    return "".join(f"; {count} not in {store}" for store, count in lacking.items() if count)


def _too_few(
    subset: str, count: int, least: int, lost: Sequence[str], stores: Sequence[str]
) -> str:
    """Which of the `count` movies of a subset have no features, where too few are left.

    least: how many movies the subset needs. lost: mids of those without features in all `stores`.
    """
    if not lost:
        movies = {0: "no movie", 1: "only 1 movie"}.get(count, f"only {count} movies")
        return f"{movies} for {subset}, at least {least} needed"
    where = f"features in {' and '.join(stores)} (data/ledger.csv says why)"
    shown = ", ".join(lost[:3]) + (f" and {len(lost) - 3} more" if len(lost) > 3 else "")
    if count == 1:
        return f"its only {subset} movie, {shown}, has no {where}"
    if len(lost) == count:
        return f"none of its {count} {subset} movies ({shown}) has {where}"
    left = count - len(lost)
    verb = "has" if len(lost) == 1 else "have"
    return (
        f"only {left} of its {count} {subset} movies is left, at least {least} needed: {shown} "
        f"{verb} no {where}"
    )


def _shuffle_labels(labels: np.ndarray, rows: np.ndarray, seed: int) -> np.ndarray:
    """A copy of `labels` in which those of `rows` are permuted among themselves."""
    generator = np.random.default_rng(seed_for(seed, "shuffled labels"))
    labels = labels.copy()
    labels[rows] = labels[generator.permutation(rows)]
    return labels
