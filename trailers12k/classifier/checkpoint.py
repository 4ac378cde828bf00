"""Checkpoints: trained models with their settings, and the state of an unfinished training.

Reads and writes PyTorch files. Must not know how a model is trained.
"""

import hashlib
import io
import logging
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch

from trailers12k.classifier.divita import DIViTA
from trailers12k.classifier.snippets import SNIPPET
from trailers12k.common import pytorch_files
from trailers12k.common.errors import UserError
from trailers12k.common.files import read_own, reading, replacing
from trailers12k.common.vocabulary import GENRES

log = logging.getLogger(__name__)

SAVE_EVERY = 1.0
"""Seconds between two writes of an unfinished training."""
MOST_STREAMS = 16
"""A run has four at most; each takes time to build."""


@dataclass(frozen=True)
class TrainingSettings:
    """How to train. The defaults are those of the paper and its published trainer."""

    lr: float = 1e-4
    batch: int = 32
    """Movies per batch, in training and in evaluation."""
    epochs: int = 100
    """At most."""
    snippet: int = SNIPPET
    """Clips per snippet."""
    patience: int = 20
    """Epochs without a lower validation loss after which training stops."""
    plateau_patience: int = 10
    """Epochs without a lower validation loss that are tolerated; one more divides the learning rate
    by ten."""
    weight_decay: float = 0.01
    hidden: int = 128
    heads: int = 4
    feedforward: int = 768
    dropout: float = 0.25

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, int | float):
                # YAML reads 1e-4 as text.
                raise ValueError(f"training setting {field.name}={value!r}: write it as 1.0e-4")
            if value < 0 or (value == 0 and field.name not in ("dropout", "weight_decay")):
                raise ValueError(f"training setting {field.name}={value} must be positive")


@dataclass(frozen=True)
class ModelSpec:
    """What determines the parameters of a model."""

    features: dict[str, int]
    """Stream -> feature size."""
    settings: TrainingSettings
    fusion: str = "late"
    """See `DIViTA`."""

    def build(self) -> DIViTA:
        """An untrained model; torch's global generator draws its parameters."""
        settings = self.settings
        return DIViTA(
            self.features,
            settings.hidden,
            settings.heads,
            settings.feedforward,
            settings.dropout,
            len(GENRES),
            self.fusion,
        )

    @property
    def values(self) -> dict[str, Any]:
        """As plain values, for best.pt and run.json."""
        return {
            "features": self.features,
            "settings": asdict(self.settings),
            "fusion": self.fusion,
        }


@dataclass(frozen=True)
class BestEpoch:
    """The epoch with the lowest validation loss so far."""

    epoch: int
    """From 1; 0 before the first epoch."""
    val_loss: float
    model: dict[str, Any]
    """The state dict of the model."""


def save_model(path: str | Path, best: BestEpoch, spec: ModelSpec) -> None:
    """Write best.pt, which `load` reads."""
    value = {"epoch": best.epoch, "val_loss": best.val_loss, "model": best.model}
    _save(Path(path), value | spec.values)


def load(checkpoint: str | Path) -> tuple[DIViTA, TrainingSettings]:
    """The model of a best.pt, on the CPU and in evaluation mode, and its training settings.

    `model.inputs` are the names of its streams. Raises `UserError` for a file that `save_model` did
    not write: of other keys, shapes or types, or with NaN.
    """
    with reading(checkpoint):
        saved = _unpickled(read_own(checkpoint))
        settings = TrainingSettings(**saved["settings"])
        spec = ModelSpec(saved["features"], settings, saved["fusion"])
        _check_parameters(spec, saved["model"])
        model = spec.build()
        model.load_state_dict(saved["model"])
    return model.eval(), settings


def _unpickled(data: bytes) -> dict[str, Any]:
    """The content of a file of `torch.save`. Raises ValueError for any other."""
    try:
        if not pytorch_files.check(io.BytesIO(data), len(data)):
            raise ValueError("it has an older format")
        value = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # whatever an unpickler meets in a damaged file
        why = str(error) if type(error) is ValueError else type(error).__name__
        raise ValueError(f"PyTorch cannot read it ({why})") from error
    if not isinstance(value, dict):
        raise ValueError(f"it holds {type(value).__name__}, not dict")
    return value


def _check_parameters(spec: ModelSpec, state: Any) -> None:
    """Raise an error unless a state dict is of this model, and all its values are finite.

    Without the memory of a model of that size: damaged settings can ask for any.
    """
    if not isinstance(spec.features, dict) or len(spec.features) > MOST_STREAMS:
        raise ValueError("its streams are not those of a run")
    with torch.device("meta"):
        expected = spec.build().state_dict()
    if not isinstance(state, dict) or state.keys() != expected.keys():
        raise ValueError("its parameters have other names than those of its settings")
    for name, tensor in state.items():
        shape, dtype = expected[name].shape, expected[name].dtype
        if not isinstance(tensor, torch.Tensor) or (tensor.shape, tensor.dtype) != (shape, dtype):
            raise ValueError(f"{name} has another shape or type than its settings say")
        # A tensor of any shape can repeat one number.
        if not tensor.is_contiguous() or not torch.isfinite(tensor).all():
            raise ValueError(f"{name} holds NaN or infinity")


class TrainingCheckpoint:
    """The file of an unfinished training: everything that the next epoch depends on.

    path: of the file. key: identifies the training; a file with another key is ignored.
    """

    def __init__(self, path: str | Path, key: str):
        self._path, self._key = Path(path), key
        self._saved = time.monotonic()

    def save(self, state: Mapping[str, Any], generator: np.random.Generator) -> None:
        """Write the state and all random generators, at most once per `SAVE_EVERY` seconds."""
        if time.monotonic() - self._saved < SAVE_EVERY:
            return
        cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
        self._path.parent.mkdir(parents=True, exist_ok=True)
        _save(
            self._path,
            {
                "key": self._key,
                "state": dict(state),
                "torch": torch.get_rng_state(),
                "cuda": cuda,
                "numpy": generator.bit_generator.state,
            },
            begins_with_hash=True,
        )
        self._saved = time.monotonic()

    def restore(self, generator: np.random.Generator) -> dict[str, Any] | None:
        """The saved state, after setting all random generators as they were saved.

        None when there is no file, or when it has another key or not the hash that it begins with:
        nothing else of it is then read.
        """
        try:
            with reading(self._path):
                digest, _, data = read_own(self._path).partition(b"\n")
                if digest != _hash_of(data):
                    raise ValueError("its content has another hash")
                saved = _unpickled(data)
        except FileNotFoundError:
            return None
        except UserError as error:
            log.warning("%s; starting from the first epoch", error)
            return None
        if saved.get("key") != self._key:
            log.info("%s is of another training: starting from the first epoch", self._path)
            return None
        torch.set_rng_state(saved["torch"])
        if saved["cuda"]:
            torch.cuda.set_rng_state_all(saved["cuda"])
        generator.bit_generator.state = saved["numpy"]
        state: dict[str, Any] = saved["state"]
        return state

    def remove(self) -> None:
        """Delete the file, once the results are written."""
        self._path.unlink(missing_ok=True)


def _save(path: Path, value: dict[str, Any], begins_with_hash: bool = False) -> None:
    """torch.save through memory, because it writes the name of a file it is given into the file."""
    buffer = io.BytesIO()
    torch.save(value, buffer)
    data = buffer.getvalue()
    with replacing(path) as partial, partial.open("wb") as file:
        if begins_with_hash:
            file.write(_hash_of(data) + b"\n")
        file.write(data)


def _hash_of(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()
