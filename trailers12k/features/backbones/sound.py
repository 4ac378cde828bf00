"""What all backbones of sound share: windows of mono samples to float32 features.

Reads and writes nothing. Must not know files, clips, nor where weights come from.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version

import numpy as np
import torch
from torch import Tensor

from trailers12k.common.errors import UserError
from trailers12k.features.backbones import devices
from trailers12k.features.backbones.devices import Device
from trailers12k.features.backbones.sound_spec import (
    PRECISION,
    SOUND_FAMILY_MODULES,
    SoundSpec,
    sound_family_of,
)
from trailers12k.features.backbones.spec import Weights
from trailers12k.features.backbones.weights import checked

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SoundNet:
    """A model of sound, as its family builds it.

    compute: windows of samples at `rate`, each float32 (samples,) of any length -> (N, features)
        float32, on the device.
    rate: samples a second that it hears. context: seconds before and after a clip that it hears.
    preprocessing: a description of what happens to the samples. attributes: what a store records
        of the weights: `weights`, `weights_sha256`, `pretrained`, and `weights_source`.
    libraries: packages beside torch whose versions a store records.
    """

    compute: Callable[[Sequence[np.ndarray]], Tensor]
    num_features: int
    rate: int
    preprocessing: str
    attributes: Mapping[str, object]
    context: float = 0.0
    libraries: Sequence[str] = ()


class SoundBackbone:
    """A model that turns the sound of clips into feature vectors.

    num_features: length of a vector. rate, context: see `SoundNet`; the context is the
        specification's where it names one. device: where it computes. batch: windows in one pass;
        halved when they do not fit into the device's memory. No result depends on it.
    """

    def __init__(self, net: SoundNet, spec: SoundSpec, device: Device):
        self.num_features, self.rate = net.num_features, net.rate
        self.context = net.context if spec.context is None else spec.context
        self.device, self.batch = device, spec.initial_batch
        self._net, self._model = net, spec.model
        self._attributes: dict[str, object] = {
            "backbone": spec.model,
            "num_features": net.num_features,
            "input": spec.input,
            **net.attributes,
            "preprocessing": net.preprocessing,
            "sample_rate": net.rate,
            "channels": "mono, the mean of all",
            "context": self.context,
            "precision": PRECISION,
            "device": device.name,
            "versions": {name: version(name) for name in ("torch", *net.libraries)},
        }

    @property
    def attributes(self) -> dict[str, object]:
        """What a store records of the model, as JSON values."""
        return self._attributes | {"batch": self.batch}

    def __call__(self, windows: Sequence[np.ndarray]) -> np.ndarray:
        """Windows of mono samples at `rate`, each float32 (samples,) -> float32 (N, features).

        Several threads may call it. Raises `UserError` when not even one window fits into the
        device's memory, when the model cannot take it, and for features of another shape.
        """
        parts, first = [], 0
        while first < len(windows):
            part = windows[first : first + self.batch]
            features = self.forward(part)
            if features is None:
                self._halve(len(part))
            else:
                parts.append(features)
                first += len(part)
        return np.concatenate(self.device.fetched(parts))

    @torch.inference_mode()
    def forward(self, windows: Sequence[np.ndarray]) -> Tensor | None:
        """Features of one batch, float32 (N, features), on the device, which may still compute
        them; None when the batch does not fit into its memory."""
        try:
            with self.device.computing():
                features = self._net.compute(windows).float()
        except torch.OutOfMemoryError:
            return None
        except (RuntimeError, AssertionError) as error:
            longest = max(map(len, windows))
            raise UserError(
                f"backbone {self._model}: it cannot take {longest} samples: "
                f"{str(error).splitlines()[0]}; choose another model, or context"
            ) from error
        if features.shape != (len(windows), self.num_features):
            raise UserError(
                f"backbone {self._model}: its features have the shape {tuple(features.shape[1:])}, "
                f"not ({self.num_features},)"
            )
        return features

    def _halve(self, tried: int) -> None:
        # Only now, since the handled error's stack frames kept the memory in use.
        self.device.free()
        if tried == 1:
            raise UserError(
                f"backbone {self._model}: not even one clip's sound fits into the device's memory; "
                "use a larger GPU, or device: cpu"
            )
        # Not half of self.batch, which another thread may have halved already.
        self.batch = min(self.batch, tried // 2)
        log.warning("out of memory with a batch of %d: continuing with %d", tried, self.batch)


def load(
    spec: SoundSpec, seed: int, weights: Weights | None = None, device: Device | None = None
) -> SoundBackbone:
    """The backbone that `spec` describes; see `loading.load`, which loads those of pictures.

    Raises `UserError` for a model that does not exist and for weights that are missing or damaged.
    """
    device = device or devices.cpu()
    family = import_module(SOUND_FAMILY_MODULES[sound_family_of(spec.model)])
    if spec.weights == "pretrained" and weights is None:
        raise UserError(
            f"backbone {spec.model}: fetch its pretrained weights first: snakemake weights"
        )
    weights = checked(weights) if weights and spec.weights == "pretrained" else None
    return SoundBackbone(family.build(spec, seed, weights, device), spec, device)
