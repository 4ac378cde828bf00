"""Files of the BatchNorm statistics that make random weights useful, one per network.

Reads and writes build/weights/random/. Must not know stores or jobs, nor import torch: a job that
computes nothing needs none.

The weights themselves are not kept: drawing them from the seed takes no longer than reading them.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from trailers12k.common.files import replacing
from trailers12k.features.backbones.spec import BackboneSpec

DAMAGED = (
    *(OSError, EOFError, LookupError, ValueError, NotImplementedError),
    *(AttributeError, TypeError, MemoryError, zipfile.BadZipFile, zlib.error),
)
"""What numpy raises for a file that is none of its own, or damaged."""

FOLDER = Path("build/weights/random")
ABOUT = "about"
"""The entry of a file that says what its statistics were computed from."""


@dataclass(frozen=True)
class Calibration:
    """What determines the statistics of a network.

    size: see `BackboneSpec`. code: the code version of the network's features.
    """

    model: str
    size: int | None
    seed: int
    code: str

    @property
    def path(self) -> Path:
        """Its file. Networks that differ in the seed or the code share it: the last one stays."""
        size = f".{self.size}" if self.size else ""
        return FOLDER / f"{self.model.replace('/', '.')}{size}.npz"

    @property
    def about(self) -> str:
        """What determines the statistics, as JSON, with the versions of the libraries."""
        libraries = {name: version(name) for name in ("torch", "torchvision", "timm")}
        return json.dumps(asdict(self) | libraries, sort_keys=True)

    def read(self) -> dict[str, np.ndarray] | None:
        """Names and values of the statistics, see `Backbone.statistics`.

        None where they must be computed: the file is missing, damaged, or of other weights.
        """
        try:
            with np.load(self.path, allow_pickle=False) as file:
                values = {name: file[name] for name in file.files}
        except DAMAGED:
            return None
        return values if str(values.pop(ABOUT, "")) == self.about else None

    def write(self, statistics: Mapping[str, np.ndarray]) -> None:
        """Write the file."""
        with replacing(self.path) as partial, partial.open("wb") as file:
            np.savez(file, allow_pickle=False, **{ABOUT: np.array(self.about)}, **statistics)


def calibration_of(spec: BackboneSpec, seed: int, code: str) -> Calibration | None:
    """What determines the statistics of a backbone; None unless its weights are random."""
    if spec.weights != "random":
        return None
    return Calibration(spec.model, spec.size, seed, code)
