"""3D ShuffleNetV2 1.0x, whose layout fits the checkpoint published with it.

ShuffleNetV2 (Ma et al. 2018) inflated to video by Köpüklü et al., "Resource Efficient 3D
Convolutional Neural Networks" (2019), code and checkpoints at github.com/okankop/Efficient-3DCNNs
(MIT). Reads a checkpoint that the user supplies. Must not know what it is used for.
"""

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torchvision.transforms.v2 import functional as transforms

from trailers12k.backbones.common import (
    Net,
    describe_random,
    random_weights,
    remove_head,
    weights_of,
)
from trailers12k.files import sha256_of
from trailers12k.jobs import UserError

CLASSES = 600
"""Kinetics-600, on which the published checkpoint is trained."""

SIDE = 112
MEAN_BGR = (114.7748, 107.7354, 99.4750)
"""Its training read frames with OpenCV, blue first, and subtracted this mean from 0-255."""

STAGES = ((116, 4), (232, 8), (464, 4))
"""Channels and units of each stage."""


class Unit(nn.Module):
    """One unit: the channels are split (or, with a stride of 2, copied) into two branches, joined,
    and shuffled. `banch` is the checkpoint's spelling. (N, inputs, T, H, W) -> (N, outputs, ...).
    """

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        half = outputs // 2
        entering = inputs if stride == 2 else half
        if stride == 2:
            self.banch1 = nn.Sequential(
                *_depthwise(inputs, stride), *_pointwise(inputs, half), nn.ReLU(inplace=True)
            )
        self.banch2 = nn.Sequential(
            *_pointwise(entering, half),
            nn.ReLU(inplace=True),
            *_depthwise(half, stride),
            *_pointwise(half, half),
            nn.ReLU(inplace=True),
        )
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        if self.stride == 2:
            left, right = self.banch1(x), self.banch2(x)
        else:
            left, right = x.chunk(2, dim=1)
            right = self.banch2(right)
        # The shuffle: a channel of the left, one of the right, and so on.
        return torch.stack((left, right), dim=2).flatten(1, 2)


class ShuffleNet3D(nn.Module):
    """Clips, float32 (N, 3, T, H, W), to class scores (N, classes)."""

    def __init__(self, classes: int = CLASSES):
        super().__init__()
        self.conv1 = nn.Sequential(
            nn.Conv3d(3, 24, 3, stride=(1, 2, 2), padding=1, bias=False),
            nn.BatchNorm3d(24),
            nn.ReLU(inplace=True),
        )
        self.maxpool = nn.MaxPool3d(3, stride=2, padding=1)
        units, channels = [], 24
        for outputs, count in STAGES:
            for i in range(count):
                units.append(Unit(channels, outputs, stride=2 if i == 0 else 1))
                channels = outputs
        self.features = nn.Sequential(*units)
        self.conv_last = nn.Sequential(*_pointwise(channels, 1024), nn.ReLU(inplace=True))
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1024, classes))

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv_last(self.features(self.maxpool(self.conv1(x))))
        return self.classifier(x.mean((2, 3, 4)))


def _pointwise(inputs: int, outputs: int) -> tuple[nn.Module, nn.Module]:
    return nn.Conv3d(inputs, outputs, 1, bias=False), nn.BatchNorm3d(outputs)


def _depthwise(channels: int, stride: int) -> tuple[nn.Module, nn.Module]:
    conv = nn.Conv3d(channels, channels, 3, stride, padding=1, groups=channels, bias=False)
    return conv, nn.BatchNorm3d(channels)


def build(spec: Mapping[str, object], seed: int) -> Net:
    """The network "shufflenet3d/1.0x"; see `backbones.load`."""
    model = spec["model"]
    if model != "shufflenet3d/1.0x":
        raise UserError(f"backbone {model}: only shufflenet3d/1.0x is built")
    if weights_of(spec, ("random", "pretrained")) == "random":
        module = random_weights(ShuffleNet3D, model, seed)
        weights = describe_random(module, seed)
    else:
        module, weights = _pretrained(spec)
    side = spec.get("size") or SIDE

    def preprocess(pixels: Tensor) -> Tensor:
        # Bilinear, as PIL resizes, to which the checkpoint's own code gave its frames.
        pixels = transforms.center_crop(transforms.resize(pixels, [side], antialias=True), [side])
        bgr = pixels.flip(-3).float() - pixels.new_tensor(MEAN_BGR, dtype=torch.float).view(3, 1, 1)
        return bgr.transpose(1, 2)

    return Net(
        module=module,
        num_features=remove_head(module, model),
        video=True,
        preprocess=preprocess,
        words=f"shorter side to {side}, bilinear, antialiased; centre crop {side}x{side}; "
        f"BGR, 0-255, minus {list(MEAN_BGR)}",
        side=side,
        weights=weights,
    )


def _pretrained(spec: Mapping[str, object]) -> tuple[ShuffleNet3D, dict[str, object]]:
    file = spec.get("file")
    if not file or not Path(file).is_file():
        raise UserError(
            f"backbone {spec['model']}: no checkpoint at file: {file or '(not set)'}; fetch "
            "kinetics_shufflenetv2_1.0x_RGB_16_best.pth, linked at "
            "github.com/okankop/Efficient-3DCNNs, name it there, or set weights: random"
        )
    module = ShuffleNet3D()
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)["state_dict"]
        module.load_state_dict({key.removeprefix("module."): state[key] for key in state})
    except (RuntimeError, KeyError, TypeError, EOFError, pickle.UnpicklingError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(
            f"backbone {spec['model']}: {file} is not the checkpoint of 3D ShuffleNetV2 1.0x for "
            f"{CLASSES} classes: {reason}"
        ) from error
    weights = {
        "weights": Path(file).name,
        "weights_source": "https://github.com/okankop/Efficient-3DCNNs",
        "weights_sha256": sha256_of(file),
        "pretrained": True,
    }
    return module, weights
