"""Train DIViTA on one split, keep the best epoch, predict with it.

Reads packed stores; writes a run's folder: best.pt, curves.csv, val.csv, tst.csv and run.json. Must
not know Snakemake, where stores came from, or how predictions are scored.

What is done follows Montalvo-Lezama et al. (Information Processing & Management 2023) and their
published trainer. The same inputs, seed and number of threads give the same bytes in every file;
`torch.set_num_threads` is the caller's to call.
"""

import copy
import logging
import math
import pickle
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from trailers12k.classifier.checkpoint import Settings, _model, _save, load
from trailers12k.classifier.dataset import SUBSETS, load_split
from trailers12k.classifier.divita import DIViTA
from trailers12k.classifier.packed import Packed
from trailers12k.classifier.snippets import (
    Batch,
    clips_of,
    evaluation_batches,
    in_all,
    training_batches,
    whole_trailers,
)
from trailers12k.common.errors import UserError
from trailers12k.common.files import write_csv, write_json
from trailers12k.common.fingerprint import fingerprint
from trailers12k.common.seeds import seed_for
from trailers12k.common.vocabulary import GENRES

log = logging.getLogger(__name__)

WAYS = ("masked", "whole", "weighted")
"""Other ways than the published one to predict with the same checkpoint. masked: the padding of the
last window is not looked at. whole: a trailer is one sequence. weighted: a window counts by the
clips in it."""

LOG_EVERY = 10
"""Epochs between two lines of progress."""


def train(
    streams: Mapping[str, Packed],
    mids: Sequence[str],
    labels: np.ndarray,
    subsets: np.ndarray,
    settings: Settings,
    seed: int,
    folder: str | Path,
    shuffle_labels: bool = False,
    device: str = "cpu",
    weights: str = "",
    state_file: str | Path | None = None,
    inputs: str = "",
    fusion: str = "late",
) -> dict:
    """Train on one split and write the run's folder; returns what run.json holds.

    `mids`, `labels` (N, 10) and `subsets` (N,) are rows of mtgc.csv and one of its split columns
    (0 training, 1 validation, 2 test). Movies that are not in every stream are left out and
    counted. `fusion`: see `DIViTA`. `shuffle_labels` is a control: labels are dealt anew among the
    training and validation movies, so whatever the model then scores on the untouched test labels
    is luck.

    `weights` are words on those of the backbones, for the log and run.json.

    `state_file` holds all that changes from epoch to epoch, and is removed at the end: after a kill
    the same call goes on from the last epoch to the same bytes. It is not trusted unless it is of
    these movies, labels, settings and seed, and of the same `inputs`, any words on the features and
    the code. Epochs of less than a second are not all written down.

    Written into `folder`, all from the epoch of the lowest validation loss: `best.pt` (read it with
    `load`), `val.csv` and `tst.csv` (`mid` and a probability a genre); and `curves.csv`
    (`epoch,train_loss,val_loss,lr`), `run.json`.

    Raises ValueError when a subset is left with too few movies, streams disagree on a movie's
    clips, or a loss or a prediction is not finite.
    """
    folder = Path(folder)
    rows = _rows_in_use(streams, mids, subsets)
    names = {subset: [mids[row] for row in places] for subset, places in rows.items()}
    if shuffle_labels:
        labels = _dealt_anew(labels, np.concatenate([rows["trn"], rows["val"]]), seed)
    targets = {
        subset: torch.from_numpy(labels[places].astype(np.float32)).to(device)
        for subset, places in rows.items()
    }
    clips = clips_of(streams)
    padded = sum(clips[mid] < settings.snippet for mid in names["trn"])
    log.info("%d training trailers are shorter than %d clips", padded, settings.snippet)

    # Torch's own generator makes the first weights and the dropout; numpy's the order and snippets.
    torch.manual_seed(seed_for(seed, "weights"))
    generator = np.random.default_rng(seed_for(seed, "snippets"))
    features = {name: packed.features for name, packed in streams.items()}
    state = _State(_model(features, settings, fusion).to(device), settings)
    keeper = None
    if state_file:
        given = [names, labels.tolist(), asdict(settings), seed, device, features, fusion]
        keeper = _Keeper(Path(state_file), fingerprint(given=given, inputs=inputs))
        keeper.restore(state, generator)
    while not state.is_over:
        batches = training_batches(
            streams, names["trn"], settings.batch, settings.snippet, generator
        )
        train_loss = state.learn(batches, targets["trn"])
        val_loss = _loss(state.model, streams, names["val"], targets["val"], settings)
        state.end_epoch(train_loss, val_loss)
        if keeper:
            keeper.keep(state, generator)
    log.info(
        "best epoch %d of %d: validation loss %.4f (backbone weights: %s)",
        state.best["epoch"],
        len(state.curves),
        state.best["val_loss"],
        weights or "not told",
    )

    state.model.load_state_dict(state.best["model"])
    for subset in ("val", "tst"):
        probabilities = predict(state.model, streams, names[subset], settings)
        _write_predictions(folder / f"{subset}.csv", names[subset], probabilities)
    made = {"features": features, "settings": asdict(settings), "fusion": fusion}
    _save(folder / "best.pt", state.best | made)
    write_csv(folder / "curves.csv", ("epoch", "train_loss", "val_loss", "lr"), state.curves)
    summary = {
        "best_epoch": state.best["epoch"],
        "best_val_loss": state.best["val_loss"],
        "epochs": len(state.curves),
        "movies": {subset: len(names[subset]) for subset in SUBSETS},
        "movies_in_split": {s: int((subsets == n).sum()) for s, n in SUBSETS.items()},
        "padded": padded,
        "seed": seed,
        "shuffle_labels": shuffle_labels,
        "backbone_weights": weights,
        **made,
    }
    write_json(folder / "run.json", summary)
    if keeper:
        keeper.remove()
    return summary


@torch.inference_mode()
def predict(
    model: DIViTA,
    streams: Mapping[str, Packed],
    mids: Sequence[str],
    settings: Settings,
    way: str = "",
) -> np.ndarray:
    """Genre probabilities, (len(mids), 10) float32: the mean over the windows of each trailer.

    A last window full of padding weighs as much as any, as in the published evaluation, unless
    `way` is one of `WAYS`. Every mid must be in all streams. Raises ValueError, naming the movie,
    when a probability is not finite.
    """
    total = torch.zeros(len(mids), len(GENRES))
    weights = torch.zeros(len(mids), 1)
    for logits, batch in _evaluate(model, streams, mids, settings, way):
        clips = batch.valid.sum(1, keepdim=True).cpu()
        weight = clips.float() if way == "weighted" else torch.ones(len(clips), 1)
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


def predict_test(
    checkpoint: str | Path,
    streams: Mapping[str, Packed],
    mtgc: str | Path,
    split: int,
    way: str,
    out: str | Path,
) -> None:
    """Write the probabilities of a split's test movies, as `train` does, in one of the `WAYS`."""
    model, settings = load(checkpoint)
    wanted, _ = load_split(mtgc, split, "tst")
    mids = in_all({name: packed.clips for name, packed in streams.items()}, wanted)
    log.info("%s: %d of %d movies are in all stores", way, len(mids), len(wanted))
    _write_predictions(Path(out), mids, predict(model, streams, mids, settings, way))


class _State:
    """All that changes from epoch to epoch."""

    def __init__(self, model: DIViTA, settings: Settings):
        self.model = model
        self.settings = settings
        self.optimizer = torch.optim.AdamW(
            model.parameters(), settings.lr, weight_decay=settings.weight_decay, amsgrad=True
        )
        self.plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
            self.optimizer, patience=settings.plateau_patience
        )
        self.best = {"epoch": 0, "val_loss": math.inf, "model": {}}
        self.curves: list[dict[str, object]] = []

    @property
    def is_over(self) -> bool:
        epoch = len(self.curves)
        return epoch >= self.settings.epochs or epoch - self.best["epoch"] >= self.settings.patience

    def learn(self, batches: Iterable[Batch], targets: Tensor) -> float:
        """Train on an epoch's batches; the mean loss over its movies."""
        self.model.train()
        # Summed where the model is, so that a GPU need not be waited for at every step.
        total = torch.zeros((), dtype=torch.float64, device=targets.device)
        for batch in batches:
            movies = batch.movies.to(targets.device)
            loss = binary_cross_entropy_with_logits(_forward(self.model, batch), targets[movies])
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            total += loss.detach() * len(movies)
        return total.item() / len(targets)

    def end_epoch(self, train_loss: float, val_loss: float) -> None:
        """Note an epoch, its weights if they are the best so far, and set the rate of the next."""
        epoch, lr = len(self.curves) + 1, self.optimizer.param_groups[0]["lr"]
        if not math.isfinite(train_loss + val_loss):
            raise ValueError(
                f"epoch {epoch}: training loss {train_loss}, validation loss {val_loss}; check the "
                f"store for NaN, or lower the learning rate ({lr:g})"
            )
        losses = {"train_loss": f"{train_loss:.9g}", "val_loss": f"{val_loss:.9g}"}
        self.curves.append({"epoch": epoch, **losses, "lr": f"{lr:.9g}"})
        if val_loss < self.best["val_loss"]:
            weights = copy.deepcopy(self.model.state_dict())
            self.best = {"epoch": epoch, "val_loss": val_loss, "model": weights}
        self.plateau.step(val_loss)
        if epoch % LOG_EVERY == 0:
            log.info("epoch %d: training %.4f, validation %.4f", epoch, train_loss, val_loss)


class _Keeper:
    """The file of a training that goes on: all that the next epoch depends on."""

    def __init__(self, path: Path, mark: str):
        self._path, self._mark = path, mark
        self._kept = time.monotonic()

    def keep(self, state: _State, generator: np.random.Generator) -> None:
        """Write it, unless that was less than a second ago."""
        if time.monotonic() - self._kept < 1:
            return
        cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
        value = {
            "mark": self._mark,
            "model": state.model.state_dict(),
            "optimizer": state.optimizer.state_dict(),
            "plateau": state.plateau.state_dict(),
            "best": state.best,
            "curves": state.curves,
            "torch": torch.get_rng_state(),
            "cuda": cuda,
            "numpy": generator.bit_generator.state,
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        _save(self._path, value)
        self._kept = time.monotonic()

    def restore(self, state: _State, generator: np.random.Generator) -> None:
        """Bring all back to where the file was written; nothing when it is another training's."""
        try:
            kept = torch.load(self._path, map_location="cpu", weights_only=True)
        except FileNotFoundError:
            return
        except (RuntimeError, EOFError, pickle.UnpicklingError, KeyError, ValueError):
            kept = {"mark": None}
        if kept["mark"] != self._mark:
            log.info("%s is of another training: beginning anew", self._path)
            return
        state.model.load_state_dict(kept["model"])
        state.optimizer.load_state_dict(kept["optimizer"])
        state.plateau.load_state_dict(kept["plateau"])
        state.best, state.curves = kept["best"], kept["curves"]
        torch.set_rng_state(kept["torch"])
        if kept["cuda"]:
            torch.cuda.set_rng_state_all(kept["cuda"])
        generator.bit_generator.state = kept["numpy"]
        log.info("going on after epoch %d", len(state.curves))

    def remove(self) -> None:
        """Once the results are there."""
        self._path.unlink(missing_ok=True)


def _rows_in_use(
    streams: Mapping[str, Packed], mids: Sequence[str], subsets: np.ndarray
) -> dict[str, np.ndarray]:
    """Subset -> rows of the label table whose movies are in all streams."""
    present = set(in_all({name: packed.clips for name, packed in streams.items()}, mids))
    rows = {}
    for subset, number in SUBSETS.items():
        wanted = np.flatnonzero(subsets == number)
        rows[subset] = np.array([row for row in wanted if mids[row] in present], np.int64)
        log.info("%s: %d of %d movies are in all stores", subset, len(rows[subset]), len(wanted))
        # BatchNorm cannot normalise by a single row.
        least = 2 if subset == "trn" else 1
        if len(rows[subset]) < least:
            raise UserError(
                f"{subset} has {len(wanted)} movies in this split, {len(rows[subset])} of them in "
                f"all of {', '.join(streams)}: at least {least} needed; add movies to the table "
                "or see the ledger for those that failed"
            )
    return rows


def _dealt_anew(labels: np.ndarray, rows: np.ndarray, seed: int) -> np.ndarray:
    """A copy of `labels` with those of `rows` permuted among themselves."""
    generator = np.random.default_rng(seed_for(seed, "shuffled labels"))
    labels = labels.copy()
    labels[rows] = labels[generator.permutation(rows)]
    return labels


def _forward(model: DIViTA, batch: Batch, valid: Tensor | None = None) -> Tensor:
    """The logits of a batch, on the model's device."""
    device = next(model.parameters()).device
    snippets = {name: rows.to(device) for name, rows in batch.snippets.items()}
    return model(snippets, None if valid is None else valid.to(device))


def _evaluate(
    model: DIViTA,
    streams: Mapping[str, Packed],
    mids: Sequence[str],
    settings: Settings,
    way: str = "",
) -> Iterator[tuple[Tensor, Batch]]:
    """Per batch of movies: its windows' logits, (W, 10), and the batch."""
    model.eval()
    if way == "whole":
        batches = whole_trailers(streams, mids)
    else:
        batches = evaluation_batches(streams, mids, settings.batch, settings.snippet)
    for batch in batches:
        yield _forward(model, batch, batch.valid if way == "masked" else None), batch


@torch.inference_mode()
def _loss(
    model: DIViTA,
    streams: Mapping[str, Packed],
    mids: Sequence[str],
    targets: Tensor,
    settings: Settings,
) -> float:
    """The loss as the published trainer takes it: over the windows of a batch, then over batches.

    So a last, smaller batch weighs as much as a full one, and a long trailer more than a short one.
    """
    losses = [
        binary_cross_entropy_with_logits(logits, targets[batch.movies.to(targets.device)])
        for logits, batch in _evaluate(model, streams, mids, settings)
    ]
    return torch.stack(losses).double().mean().item()


def _write_predictions(path: Path, mids: Sequence[str], probabilities: np.ndarray) -> None:
    rows = [
        # Nine digits give a float32 back exactly.
        {"mid": mid} | {genre: f"{p:.9g}" for genre, p in zip(GENRES, row, strict=True)}
        for mid, row in zip(mids, probabilities, strict=True)
    ]
    write_csv(path, ("mid", *GENRES), rows)
