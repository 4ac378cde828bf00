"""What all backbones share: uint8 frames to float32 features, precision, device, random weights.

Reads and writes nothing. Must not know files, videos, nor where weights come from.
"""

import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from trailers12k.common.errors import UserError
from trailers12k.common.seeds import seed_for
from trailers12k.features.backbones import devices
from trailers12k.features.backbones.batching import Batches
from trailers12k.features.backbones.devices import Device
from trailers12k.features.backbones.spec import BackboneSpec
from trailers12k.features.backbones.transforms import FrameByFrame, Resize

log = logging.getLogger(__name__)

AnyNet = TypeVar("AnyNet", bound=nn.Module)
Transform = FrameByFrame | Resize

CALIBRATION_IMAGES = 16
CALIBRATION_CLIPS = 4
CALIBRATION_FRAMES = 24
"""The length of a real clip. From 8 frames a deep 3D network gets statistics that are wrong by a
factor of 400."""


@dataclass(frozen=True)
class Net:
    """A network without its head, as a family of models builds it.

    module: float32 (N, 3, H, W), or (N, 3, T, H, W) when `video`, -> (N, num_features).
    transform: RGB images, uint8 (N, H, W, 3) of any size, -> resized and cropped, uint8
        (N, h, w, 3). Equal ones make equal crops.
    normalize: uint8 (N, h, w, 3), or (N, T, h, w, 3) when `video`, -> the module's input, on any
        device.
    preprocessing: its description. side: the shorter side in pixels that it resizes to.
    attributes: what a store records of the weights: `weights`, `weights_sha256`, `pretrained`, and
        `weights_source` where they are pretrained.
    is_bf16_close: whether bf16 is faster and its cosine to fp32 at least 0.999.
    """

    module: nn.Module
    num_features: int
    video: bool
    transform: Transform
    normalize: Callable[[Tensor], Tensor]
    preprocessing: str
    side: int
    attributes: dict[str, object]
    is_bf16_close: bool = True


class Backbone:
    """A network that turns clips or images into feature vectors.

    num_features: length of a vector.
    transform: see `Net`.
    video: whether it sees the frames of a clip at once. device: where it computes.
    batch: clips of a video network, or images of an image network, in one forward pass; halved
        when they do not fit into the device's memory. No result depends on it.
    """

    def __init__(
        self,
        net: Net,
        spec: BackboneSpec,
        seed: int,
        device: Device | None = None,
        statistics: Mapping[str, np.ndarray] | None = None,
    ):
        if net.video != (spec.input == "clips"):
            kind, inputs = ("video", "clips") if net.video else ("image", "frames or posters")
            raise UserError(
                f"backbone {spec.model} is a network for {kind}s: its input must be {inputs}, not "
                f"{spec.input}"
            )
        self.num_features = net.num_features
        self.transform = net.transform
        self.batch = spec.initial_batch
        self._net = net
        self.video = net.video
        self.device = device or devices.cpu()
        self._shared: Batches | None = None
        self._precision = spec.precision
        if self._precision == "auto":
            use_bf16 = net.is_bf16_close and self.device.has_fast_bf16
            self._precision = "bf16" if use_bf16 else "fp32"
        self._model = spec.model
        module = net.module.eval()
        if spec.weights == "random" and statistics is None:
            with seeded(seed, "calibration", spec.model):
                self._calibrate(module)
        elif statistics:
            values = {name: torch.from_numpy(value) for name, value in statistics.items()}
            module.load_state_dict(values, strict=False)
        # The layout of the fast kernels: shufflenet_v2 takes two thirds of the time with it, and
        # shufflenet3d half.
        self._layout = torch.channels_last_3d if net.video else torch.channels_last
        self._module = module.to(self.device.torch).to(memory_format=self._layout)
        self._attributes = {
            "backbone": spec.model,
            "num_features": net.num_features,
            "input": spec.input,
            **net.attributes,
            "preprocessing": net.preprocessing,
            "crops": net.transform.exactness,
            "precision": self._precision,
            "device": self.device.name,
            "versions": versions(),
        }

    @property
    def attributes(self) -> dict[str, object]:
        """What a store records of the network, as JSON values."""
        across = {"batch_across": True} if self._shared else {}
        return self._attributes | {"batch": self.batch} | across

    @property
    def statistics(self) -> dict[str, np.ndarray]:
        """The buffers of all BatchNorm layers by their names in the network, float32 and int64."""
        return {
            f"{name}.{own}": buffer.cpu().numpy()
            for name, part in self._module.named_modules()
            if isinstance(part, _BatchNorm)
            for own, buffer in part.named_buffers()
        }

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """RGB frames, uint8 (B, T, H, W, 3) of any size, to features, float32 (B, num_features).

        A video network sees the T frames of a clip at once; the features of an image network are
        averaged over them.
        """
        clips, length = frames.shape[:2]
        crops = self.transform(torch.from_numpy(frames).flatten(0, 1))
        return self.device.fetched([self.compute(crops.unflatten(0, (clips, length)))])[0]

    def clips_at_a_time(self, length: int) -> int:
        """How many clips of `length` frames fill a batch; at least one."""
        return self.batch if self._net.video else max(1, self.batch // length)

    def batches(self, length: int) -> Batches:
        """What fills batches with the clips of a trailer, each of `length` frames."""
        return self._shared or Batches(self.compute, lambda: self.clips_at_a_time(length))

    def fill_across(self, length: int) -> None:
        """Fill batches with clips of all trailers in progress from now on."""
        self._shared = self.batches(length)

    def compute(self, pixels: Tensor) -> Tensor:
        """Crops of clips' frames, uint8 (B, T, h, w, 3), to features, float32 (B, num_features).

        The features are on the device, which may still compute them. Several threads may call it.
        Raises `UserError` when not even one clip fits into the
        device's memory, and when the model cannot take this input.
        """
        clips, length = pixels.shape[:2]
        if not self._net.video:
            pixels = pixels.flatten(0, 1)
        parts, first = [], 0
        while first < len(pixels):
            part = pixels[first : first + self.batch]
            values = self.forward(part)
            if values is None:
                self._halve(len(part))
            else:
                parts.append(values)
                first += len(part)
        features = torch.cat(parts)
        if features.shape[1] != self.num_features:
            raise UserError(
                f"backbone {self._model}: its features have the shape {tuple(features.shape[1:])}, "
                f"not ({self.num_features},); choose a model with pooled features"
            )
        if not self._net.video:
            features = features.unflatten(0, (clips, length)).mean(1)
        self.device.meter.add(computed=clips * length)
        return features

    @torch.inference_mode()
    def forward(self, pixels: Tensor) -> Tensor | None:
        """Features of one batch of images or clips, on the device; None when the batch does not fit
        into its memory.

        Bytes are sent to the device and become floats there: a quarter of the traffic.
        """
        half = self._precision == "bf16"
        autocast = torch.autocast(self.device.autocast, torch.bfloat16, enabled=half)
        try:
            pixels = self.device.put(pixels)
            with self.device.computing(), autocast:
                inputs = self._net.normalize(pixels).contiguous(memory_format=self._layout)
                features: Tensor = self._module(inputs).float()
                return features
        except torch.OutOfMemoryError:
            return None
        except (RuntimeError, AssertionError) as error:
            raise UserError(
                f"backbone {self._model}: it cannot take an input of {tuple(pixels.shape)}: "
                f"{str(error).splitlines()[0]}; choose another model, or clips.fpc"
            ) from error

    def _halve(self, tried: int) -> None:
        # Only now, since the handled error's stack frames kept the memory in use.
        self.device.free()
        if tried == 1:
            raise UserError(
                f"backbone {self._model}: not even a batch of one fits into the device's memory; "
                "use a larger GPU, or device: cpu"
            )
        # Not half of self.batch, which another thread may have halved already.
        self.batch = min(self.batch, tried // 2)
        log.warning("out of memory with a batch of %d: continuing with %d", tried, self.batch)

    @torch.no_grad()
    def _calibrate(self, module: nn.Module) -> None:
        """Give random weights BatchNorm statistics, without which features carry no signal.

        With a mean of 0 and a variance of 1, as initialised, shufflenet_v2's features are of the
        order 1e-6 and resnet50's differ in length alone. One batch of coarse to fine coloured
        squares, which move in a video, sets the statistics. White noise is unsuitable, since it
        averages to grey. Networks without BatchNorm need no calibration. Always on the CPU, in
        fp32.
        """
        norms = [part for part in module.modules() if isinstance(part, _BatchNorm)]
        if not norms:
            return
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # the statistics of the batch itself
            norm.train()
        count, length = CALIBRATION_IMAGES, 1
        if self._net.video:
            count, length = CALIBRATION_CLIPS, CALIBRATION_FRAMES
        squares = _coloured_squares(count, length, self._net.side)
        crops = self.transform(squares.flatten(0, 1))
        if self._net.video:
            crops = crops.unflatten(0, (count, length))
        module(self._net.normalize(crops))
        module.eval()


def _coloured_squares(count: int, length: int, side: int) -> Tensor:
    """uint8 (count, length, side, side, 3): grids of 1, 2, 4, 8, 16 random colours a side."""
    videos = []
    for i in range(count):
        cells = min(2 ** (i % 5), side)
        colours = (128 + 64 * torch.randn(cells, cells, 3)).clamp(0, 255).to(torch.uint8)
        index = torch.arange(side) * cells // side
        picture = colours[index][:, index]
        step = i * side // 64
        videos.append(torch.stack([picture.roll(t * step, 1) for t in range(length)]))
    return torch.stack(videos)


@contextmanager
def seeded(seed: int, *names: str) -> Iterator[None]:
    """Seed torch's random numbers with `seed_for`; the global state is restored afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed_for(seed, *names))
        yield


def scale(pixels: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """uint8 (..., h, w, 3) to float32 (..., 3, h, w): to 0-1, minus mean, divided by deviation."""
    width = pixels.shape[-2]
    # Whole rows of pixels: a sixth of the time of three values each.
    values = pixels.flatten(-2).float()
    means, deviations = (row_of(tuple(each), width, values.device) for each in (mean, std))
    values = values.div_(255).sub_(means).div_(deviations)
    return values.unflatten(-1, (width, 3)).movedim(-1, -3)


@cache
def row_of(values: tuple[float, ...], width: int, device: torch.device) -> Tensor:
    """The values of three colours for each pixel of a row, float32 (width * 3,), on a device.

    Copied there once, since a GPU stops for such a copy.
    """
    with torch.inference_mode(False):
        return torch.tensor(values * width, device=device)


def random_weights(build: Callable[[], AnyNet], model: str, seed: int) -> AnyNet:
    """The module that `build` returns, initialised from the seed and the model's name."""
    with seeded(seed, "weights", model):
        return build()


def describe_random(module: nn.Module, seed: int) -> dict[str, object]:
    """What a store records of random weights."""
    name = f"random, seed {seed}"
    return {"weights": name, "weights_sha256": sha256_of_state(module), "pretrained": False}


def sha256_of_state(module: nn.Module) -> str:
    """A hash of the names, shapes, types and bytes of all tensors of a network."""
    digest = hashlib.sha256()
    for name, tensor in module.state_dict().items():
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()


def remove_head(module: nn.Module, model: str) -> int:
    """Replace the classifier, the last layer with weights, by the identity; its input's length."""
    layers = nn.Linear | nn.Conv2d | nn.Conv3d
    named = [(name, part) for name, part in module.named_modules() if isinstance(part, layers)]
    if not named:
        raise UserError(f"backbone {model}: it does not end in a classifier; choose another model")
    name, last = named[-1]
    parent, _, own = name.rpartition(".")
    setattr(module.get_submodule(parent), own, nn.Identity())
    return last.in_features if isinstance(last, nn.Linear) else last.in_channels


def require_weights(spec: BackboneSpec, allowed: tuple[str, ...]) -> None:
    """Raise `UserError` unless this model can have the weights that the specification names."""
    if spec.weights not in allowed:
        raise UserError(
            f"backbone {spec.model}: weights must be {' or '.join(allowed)}, not {spec.weights!r}"
        )


def versions() -> dict[str, str]:
    """Versions of the libraries that compute features."""
    return {name: version(name) for name in ("torch", "torchvision", "timm")}
