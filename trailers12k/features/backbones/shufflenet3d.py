"""3D ShuffleNetV2 1.0x, in the layout of its published checkpoint.

ShuffleNetV2 (Ma et al. 2018) inflated to video by Köpüklü et al., "Resource Efficient 3D
Convolutional Neural Networks" (2019), code and checkpoints at github.com/okankop/Efficient-3DCNNs
(MIT). Reads a checkpoint that the user supplies. Must not know what the network is used for.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from trailers12k.common.errors import UserError
from trailers12k.features.backbones.common import (
    Net,
    describe_random,
    random_weights,
    remove_head,
    require_weights,
    row_of,
)
from trailers12k.features.backbones.spec import BackboneSpec, Origin, Weights
from trailers12k.features.backbones.transforms import Resize
from trailers12k.features.backbones.weights import load_state

MODEL = "shufflenet3d/1.0x"

HELP = (
    "fetch kinetics_shufflenetv2_1.0x_RGB_16_best.pth, linked at "
    "github.com/okankop/Efficient-3DCNNs, and name it in file, or set weights: random"
)

CLASSES = 600
"""Kinetics-600, on which the published checkpoint is trained."""

SIDE = 112
MEAN_BGR = (114.7748, 107.7354, 99.4750)
"""The checkpoint's training subtracted this mean from 0-255 and read frames with OpenCV, blue
first."""

STAGES = ((116, 4), (232, 8), (464, 4))
"""Channels and units of each stage."""


class Unit(nn.Module):
    """One unit of ShuffleNetV2, (N, inputs, T, H, W) -> (N, outputs, T', H', W').

    The channels are split (with a stride of 2: copied) into two branches, which are concatenated
    and shuffled. `banch` is the checkpoint's spelling.
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
        # The shuffle interleaves the channels of both branches.
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


def origins(model: str) -> list[Origin]:
    """Nowhere. Raises `UserError`: only the user may fetch the checkpoint."""
    raise UserError(f"backbone {model}: no checkpoint is named; {HELP}")


def build(spec: BackboneSpec, seed: int, weights: Weights | None) -> Net:
    """The network "shufflenet3d/1.0x"; see `loading.load`. weights: the pretrained ones."""
    model = spec.model
    if model != MODEL:
        raise UserError(f"backbone {model}: {MODEL} is the only model of this family")
    require_weights(spec, ("random", "pretrained"))
    if weights:
        module = ShuffleNet3D()
        load_state(module, weights, unwrap=_unwrap)
        attributes = weights.attributes
    else:
        module = random_weights(ShuffleNet3D, model, seed)
        attributes = describe_random(module, seed)
    side = spec.size or SIDE

    def normalize(pixels: Tensor) -> Tensor:
        width = pixels.shape[-2]
        values = pixels.flatten(-2).float()
        values = values.sub_(row_of(MEAN_BGR[::-1], width, values.device))
        return values.unflatten(-1, (width, 3)).flip(-1).movedim(-1, 1)

    return Net(
        module=module,
        num_features=remove_head(module, model),
        video=True,
        # The checkpoint's own code resized with PIL, bilinearly.
        transform=Resize((side,), (side, side), "bilinear", antialias=True, like_pillow=True),
        normalize=normalize,
        preprocessing=f"shorter side to {side}, bilinear, antialiased; centre crop {side}x{side}; "
        f"BGR, 0-255, minus {list(MEAN_BGR)}",
        side=side,
        attributes=attributes,
        # bf16 saves a quarter of little time, and its cosine to fp32 is below 0.999.
        is_bf16_close=False,
    )


def _unwrap(checkpoint: Mapping) -> dict[str, Tensor]:
    """The tensors of the published checkpoint. DataParallel prefixed their names with `module.`."""
    state = checkpoint["state_dict"]
    return {key.removeprefix("module."): state[key] for key in state}
