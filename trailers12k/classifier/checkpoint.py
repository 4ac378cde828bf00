"""Checkpoints: the trained model with its settings.

Reads and writes PyTorch files. Must not know how the model is trained.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import torch

from trailers12k.classifier.dataset import SNIPPET
from trailers12k.classifier.divita import DIViTA
from trailers12k.common.files import replacing
from trailers12k.common.vocabulary import GENRES


@dataclass(frozen=True)
class Settings:
    """How to train. The defaults are those of the paper and its published trainer."""

    lr: float = 1e-4
    batch: int = 32
    """Movies in a batch, in training and in evaluation."""
    epochs: int = 100
    """At most."""
    snippet: int = SNIPPET
    """Clips."""
    patience: int = 20
    """Epochs without a lower validation loss after which training stops."""
    plateau_patience: int = 10
    """Epochs without one that the learning rate bears; one more, and it is divided by ten."""
    weight_decay: float = 0.01
    hidden: int = 128
    heads: int = 4
    feedforward: int = 768
    dropout: float = 0.25

    def __post_init__(self):
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, int | float):
                # YAML reads 1e-4 as text.
                raise ValueError(f"training setting {field.name}={value!r}: write it as 1.0e-4")
            if value < 0 or (value == 0 and field.name not in ("dropout", "weight_decay")):
                raise ValueError(f"training setting {field.name}={value} must be positive")


def load(checkpoint: str | Path) -> tuple[DIViTA, Settings]:
    """The model of a `best.pt`, on the CPU and ready to predict, and the settings of its training.

    `model.inputs` names the streams it wants.
    """
    saved = torch.load(checkpoint, map_location="cpu", weights_only=True)
    settings = Settings(**saved["settings"])
    model = _model(saved["features"], settings, saved["fusion"])
    model.load_state_dict(saved["model"])
    return model.eval(), settings


def _model(features: Mapping[str, int], settings: Settings, fusion: str) -> DIViTA:
    return DIViTA(
        features,
        settings.hidden,
        settings.heads,
        settings.feedforward,
        settings.dropout,
        len(GENRES),
        fusion,
    )


def _save(path: Path, value: dict) -> None:
    """torch.save through memory: given a file, it would store that file's temporary name in it."""
    buffer = io.BytesIO()
    torch.save(value, buffer)
    with replacing(path) as partial:
        partial.write_bytes(buffer.getvalue())
