"""Image and video networks of torchvision, with the preprocessing of their weights enum.

Reads a file of weights. Must not know how it was fetched, nor what the networks are used for.
"""

from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor
from torchvision.models import WeightsEnum, get_model, get_model_weights
from torchvision.transforms import functional as transforms
from torchvision.transforms._presets import ImageClassification, VideoClassification

from trailers12k.common.errors import UserError
from trailers12k.features.backbones.common import (
    Net,
    Transform,
    describe_random,
    random_weights,
    remove_head,
    require_weights,
    scale,
)
from trailers12k.features.backbones.spec import BackboneSpec, Origin, Weights
from trailers12k.features.backbones.transforms import FrameByFrame, Resize
from trailers12k.features.backbones.weights import load_state

Preset: TypeAlias = ImageClassification | VideoClassification

HELP = "leave file away: torchvision publishes the weights of its models"


def origins(model: str) -> list[Origin]:
    """Where torchvision publishes the weights; the file's name contains the hash's beginning."""
    _, enum = _enum(model)
    return [Origin(str(enum), enum.url, enum.url.rpartition("/")[2])]


def build(spec: BackboneSpec, seed: int, weights: Weights | None) -> Net:
    """The network "torchvision/NAME" or "torchvision/NAME.WEIGHTS"; see `loading.load`.

    weights: the pretrained ones.
    """
    model = spec.model
    name, enum = _enum(model)
    preset = enum.transforms()
    if not isinstance(preset, ImageClassification | VideoClassification):
        raise UserError(f"backbone {model}: it classifies neither images nor videos")
    if spec.size:
        preset = _scaled(enum, preset, spec.size)
    require_weights(spec, ("random", "pretrained"))
    if weights:
        classes = len(enum.meta["categories"])
        module = get_model(name, weights=None, num_classes=classes, **options(name, enum))
        load_state(module, weights)
        attributes = weights.attributes
    else:
        module = random_weights(
            lambda: get_model(name, weights=None, **options(name, enum)), model, seed
        )
        attributes = describe_random(module, seed)
    is_video = isinstance(preset, VideoClassification)

    def normalize(pixels: Tensor) -> Tensor:
        values = scale(pixels, preset.mean, preset.std)
        return values.transpose(1, 2) if is_video else values

    return Net(
        module=module,
        num_features=remove_head(module, model),
        video=is_video,
        transform=_transform(preset),
        normalize=normalize,
        preprocessing=f"{' '.join(str(preset).split())}, antialias={_antialias(preset)}",
        side=min(preset.resize_size),
        attributes=attributes,
    )


def options(name: str, enum: WeightsEnum) -> dict[str, object]:
    """The options that torchvision's builders set when they load these weights."""
    if name in ("googlenet", "inception_v3"):
        return {"transform_input": True}
    if name.startswith("vit_"):
        return {"image_size": enum.meta["min_size"][0]}
    return {}


def _transform(preset: Preset) -> Transform:
    """The resize and crop of the preset, which work on bytes."""
    antialias = _antialias(preset)
    if preset.interpolation.value in ("bilinear", "bicubic" if antialias else "bilinear"):
        crop = tuple(preset.crop_size) * (2 // len(preset.crop_size))
        return Resize(tuple(preset.resize_size), crop, preset.interpolation.value, antialias)

    def crop_one(frame: np.ndarray) -> np.ndarray:
        pixels = torch.from_numpy(frame).permute(2, 0, 1)
        pixels = transforms.resize(
            pixels, preset.resize_size, preset.interpolation, antialias=antialias
        )
        return transforms.center_crop(pixels, preset.crop_size).permute(1, 2, 0).numpy()

    return FrameByFrame(f"torchvision {preset} {antialias}", crop_one)


def _antialias(preset: Preset) -> bool:
    return isinstance(preset, ImageClassification) and preset.antialias


def _enum(model: str) -> tuple[str, WeightsEnum]:
    name, _, tag = model.partition("/")[2].partition(".")
    try:
        members = get_model_weights(name)
    except ValueError:
        raise UserError(f"backbone {model}: torchvision has no model {name!r}") from None
    try:
        return name, members[tag or "DEFAULT"]
    except KeyError:
        names = ", ".join(members.__members__)
        raise UserError(f"backbone {model}: its weights are {names}, not {tag!r}") from None


def _scaled(enum: WeightsEnum, preset: Preset, size: int) -> Preset:
    """The same preprocessing for a crop of `size`: the resize before it follows in proportion."""
    resize = tuple(round(side * size / preset.crop_size[0]) for side in preset.resize_size)
    if isinstance(preset, VideoClassification):
        return enum.transforms(crop_size=(size, size), resize_size=resize)
    return enum.transforms(crop_size=size, resize_size=resize[0])
