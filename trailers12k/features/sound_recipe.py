"""What determines the features of a store of sound, as plain values.

Reads and writes nothing. Must not import torch until a model is loaded, since a job that finds all
its arrays ends without.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import av

from trailers12k.features.backbones.hub import HubWeights
from trailers12k.features.backbones.sound_spec import SoundSpec
from trailers12k.features.backbones.spec import Weights

if TYPE_CHECKING:
    from trailers12k.features.backbones.devices import Device
    from trailers12k.features.backbones.sound import SoundBackbone

DECODER = "pyav"
"""What reads the sound, whatever reads the frames."""


@dataclass(frozen=True)
class SoundRecipe:
    """Everything that determines the features of a store, beside its videos and their clips.

    code: the code version. seed: of random weights. weights: the pretrained ones, if any.
    """

    spec: SoundSpec
    code: str
    seed: int
    weights: Weights | None = None

    @property
    def determined_by(self) -> dict[str, object]:
        """The recipe as JSON values, without what determines no result: a store's attribute."""
        beside = dict(self.weights.beside) if isinstance(self.weights, HubWeights) else None
        return {
            "spec": self.spec.determining,
            "settings": {},
            "code": self.code,
            "seed": self.seed if self.spec.weights == "random" else None,
            "weights_sha256": self.weights.sha256 if self.weights else None,
        } | ({"weights_files": beside} if beside else {})

    def load(self, device: Device) -> SoundBackbone:
        """The backbone on a device. Raises `UserError`."""
        from trailers12k.features.backbones.sound import load

        return load(self.spec, self.seed, self.weights, device)

    @property
    def described_input(self) -> dict[str, object]:
        """What a store records of how its input was read."""
        return {"decoder": f"PyAV {av.__version__}"}
