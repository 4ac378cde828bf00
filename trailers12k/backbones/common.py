"""What all backbones share: uint8 frames to float32 features, precision, device, random weights.

Reads and writes nothing. Must not know files, videos, or where weights come from.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from trailers12k.jobs import UserError

CALIBRATION_IMAGES = 16
CALIBRATION_CLIPS = 4
CALIBRATION_FRAMES = 24
"""As long as a real clip: at 8 frames a deep 3D network sees but one moment, and the statistics are
off by a factor of 400."""


@dataclass(frozen=True)
class Net:
    """A network without its head, as a family of models hands it over.

    module: float32 (N, 3, H, W), or (N, 3, T, H, W) when `video`, -> (N, num_features).
    preprocess: uint8 (..., T, 3, H, W) of any size -> the module's input; images (N, 3, H, W) are
        preprocessed one by one.
    words: the preprocessing, in words. side: the shorter side it resizes to, in pixels.
    weights: what is to be recorded of them: `weights`, `weights_sha256`, `pretrained`.
    """

    module: nn.Module
    num_features: int
    video: bool
    preprocess: Callable[[Tensor], Tensor]
    words: str
    side: int
    weights: dict[str, object]


class Backbone:
    """A network that turns clips (or pictures) into feature vectors.

    num_features: length of a vector.
    side: the shorter side, in pixels, to which the preprocessing resizes: frames may be read at
        this size.
    attributes: all that is needed to make the numbers again, as JSON values.
    """

    def __init__(self, net: Net, spec: Mapping[str, object], seed: int):
        if net.video != (spec["input"] == "clips"):
            kind, inputs = ("video", "clips") if net.video else ("image", "frames or posters")
            raise UserError(
                f"backbone {spec['model']} is a network for {kind}s: its input must be {inputs}, "
                f"not {spec['input']}"
            )
        self.num_features = net.num_features
        self.side = net.side
        self._net = net
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._precision = _precision(spec.get("precision") or "auto", self._device)
        # channels_last is the layout of the fast kernels of image networks.
        layout = torch.contiguous_format if net.video else torch.channels_last
        self._module = net.module.eval().to(self._device, memory_format=layout)
        self._layout = layout
        if spec["weights"] == "random":
            with seeded(seed, f"calibration of {spec['model']}"):
                self._calibrate()
        self.attributes = {
            "backbone": spec["model"],
            "num_features": net.num_features,
            "input": spec["input"],
            **net.weights,
            "preprocessing": net.words,
            "precision": self._precision,
            "device": self._device.type,
            "versions": versions(),
        }

    @torch.inference_mode()
    def __call__(self, frames: np.ndarray | Tensor) -> np.ndarray:
        """RGB frames, uint8 (B, T, H, W, 3) of any size, to features, float32 (B, num_features).

        A video network sees the T frames of a clip at once; the features of an image network are
        averaged over them.
        """
        clips, length = frames.shape[:2]
        half = self._precision == "bf16"
        with torch.autocast(self._device.type, torch.bfloat16, enabled=half):
            features = self._module(self._prepare(torch.as_tensor(frames))).float()
        if not self._net.video:
            features = features.reshape(clips, length, -1).mean(1)
        return features.cpu().numpy()

    def _prepare(self, frames: Tensor) -> Tensor:
        # Bytes go to the device, and are preprocessed there: a quarter of the floats' traffic.
        pixels = frames.to(self._device).movedim(-1, 2)
        if not self._net.video:
            pixels = pixels.flatten(0, 1)
        return self._net.preprocess(pixels).contiguous(memory_format=self._layout)

    @torch.no_grad()
    def _calibrate(self) -> None:
        """Give random weights BatchNorm statistics, without which they carry no signal.

        With a mean of 0 and a variance of 1, as initialised, shufflenet_v2's features are of the
        order 1e-6 and resnet50's differ in length alone. One batch of coarse to fine coloured
        squares, moving in a video, sets the statistics; white noise, which is grey from afar,
        does not do. Networks without BatchNorm need nothing.
        """
        norms = [module for module in self._module.modules() if isinstance(module, _BatchNorm)]
        if not norms:
            return
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # the statistics of the batch, not a step towards them
            norm.train()
        count, length = CALIBRATION_IMAGES, 1
        if self._net.video:
            count, length = CALIBRATION_CLIPS, CALIBRATION_FRAMES
        self._module(self._prepare(_coloured_squares(count, length, self.side)))
        self._module.eval()


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
def seeded(seed: int, what: str) -> Iterator[None]:
    """Draw torch's random numbers from `seed` and a name; its global state is untouched."""
    digest = hashlib.sha256(f"{seed} {what}".encode()).digest()
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(int.from_bytes(digest[:8], "big") >> 1)
        yield


def random_weights(build: Callable[[], nn.Module], model: str, seed: int) -> nn.Module:
    """The module that `build` makes, its initialisation determined by the seed and the name."""
    with seeded(seed, model):
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
    """Replace the last linear layer, the classifier, by nothing; the number of its inputs."""
    linear = [name for name, part in module.named_modules() if isinstance(part, nn.Linear)]
    if not linear:
        raise UserError(f"backbone {model}: it ends in no linear classifier, choose another model")
    parent, _, name = linear[-1].rpartition(".")
    features = module.get_submodule(linear[-1]).in_features
    setattr(module.get_submodule(parent), name, nn.Identity())
    return features


def weights_of(spec: Mapping[str, object], allowed: tuple[str, ...]) -> str:
    """The entry `weights` of a backbone; `UserError` when this model does not have them."""
    if spec["weights"] not in allowed:
        raise UserError(
            f"backbone {spec['model']}: weights must be {' or '.join(allowed)}, "
            f"not {spec['weights']!r}"
        )
    return spec["weights"]


def versions() -> dict[str, str]:
    """Versions of the libraries that compute features."""
    return {name: version(name) for name in ("torch", "torchvision", "timm")}


def _precision(asked: str, device: torch.device) -> str:
    if asked != "auto":
        return asked
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    # Measured with AVX512_BF16 alone: resnet50 2.4 CPU s a clip in bf16, 1.7 in fp32.
    return "bf16" if torch.cpu.get_capabilities().get("amx_bf16") else "fp32"
