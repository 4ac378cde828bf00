"""What determines the features of a store, as plain values.

Reads and writes nothing. Must not import torch until a network is loaded, since a job that finds
all its arrays ends without.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import PIL

from trailers12k.features.backbones.calibrations import Calibration, calibration_of
from trailers12k.features.backbones.spec import BackboneSpec, Weights
from trailers12k.video import reader

if TYPE_CHECKING:
    from trailers12k.features.backbones.common import Backbone
    from trailers12k.features.backbones.devices import Device


@dataclass(frozen=True)
class Sampling:
    """Which frames of a clip are read.

    fps: frames per second. fpc: frames per clip; a shorter clip is filled with its last frame.
    crop_bars: whether black bars around the picture are cut off.
    image_frames: how many evenly spaced frames of `fpc` the backbone gets; None for all. For image
        networks, whose features are averaged over them.
    """

    fps: float
    fpc: int
    image_frames: int | None = None
    crop_bars: bool = False


@dataclass(frozen=True)
class Recipe:
    """Everything that determines the features of a store, beside its videos and their clips.

    sampling: None for posters. code: the code version. seed: of random weights.
    weights: the pretrained ones, if any.
    """

    spec: BackboneSpec
    sampling: Sampling | None
    code: str
    seed: int
    weights: Weights | None = None

    @property
    def determined_by(self) -> dict[str, object]:
        """The recipe as JSON values, without what determines no result: a store's attribute."""
        sampling = asdict(self.sampling) if self.sampling else {}
        return {
            "spec": self.spec.determining,
            "settings": {
                key: sampling[key] for key in ("fps", "fpc", "crop_bars") if key in sampling
            },
            "code": self.code,
            "seed": self.seed if self.spec.weights == "random" else None,
            # Pretrained weights count by their hash.
            "weights_sha256": self.weights.sha256 if self.weights else None,
        }

    def load(self, device: Device) -> Backbone:
        """The backbone on a device. Raises `UserError`.

        The statistics of random weights are read where make_random_weights has written them.
        """
        from trailers12k.features.backbones.loading import load

        calibration = self.calibration
        statistics = calibration.read() if calibration else None
        return load(self.spec, self.seed, self.weights, device, statistics)

    @property
    def calibration(self) -> Calibration | None:
        """What determines the statistics of random weights; None for other weights."""
        return calibration_of(self.spec, self.seed, self.code)


def recipe_of(
    spec: BackboneSpec,
    clip_settings: Mapping[str, Any],
    code: str,
    seed: int,
    weights: Weights | None,
) -> Recipe:
    """The recipe of a store.

    clip_settings: `fps`, `fpc`, `crop_bars` (if on) and others; ignored for posters.
    """
    sampling = None
    if spec.input != "posters":
        image_frames = spec.image_frames if spec.input == "frames" else None
        crop_bars = clip_settings.get("crop_bars", False)
        sampling = Sampling(clip_settings["fps"], clip_settings["fpc"], image_frames, crop_bars)
    return Recipe(spec, sampling, code, seed, weights)


def describe_input(recipe: Recipe) -> dict[str, object]:
    """What a store records of how its input was read."""
    if recipe.sampling is None:
        return {"decoder": f"Pillow {PIL.__version__}"}
    attributes: dict[str, object] = {"decoder": reader.decoder_versions()}
    if recipe.spec.input == "frames":
        frames = recipe.sampling.image_frames or recipe.sampling.fpc
        attributes |= {"image_frames": frames, "frame_reduction": "mean"}
    return attributes
