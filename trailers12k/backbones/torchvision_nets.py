"""Image and video networks of torchvision, with what their weights enum says of preprocessing.

Reads weights from torchvision's cache, or fetches them. Must not know what they are used for.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torchvision.models import WeightsEnum, get_model, get_model_weights
from torchvision.transforms._presets import ImageClassification, VideoClassification

from trailers12k.backbones.common import (
    Net,
    describe_random,
    random_weights,
    remove_head,
    weights_of,
)
from trailers12k.files import sha256_of
from trailers12k.jobs import UserError


def build(spec: Mapping[str, object], seed: int) -> Net:
    """The network "torchvision/NAME" or "torchvision/NAME.WEIGHTS"; see `backbones.load`."""
    model = spec["model"]
    name, enum = _enum(model)
    preset = enum.transforms()
    if not isinstance(preset, ImageClassification | VideoClassification):
        raise UserError(f"backbone {model}: it classifies neither images nor videos")
    if spec.get("size"):
        preset = _scaled(enum, preset, spec["size"])
    if weights_of(spec, ("random", "pretrained")) == "random":
        module = random_weights(lambda: get_model(name, weights=None), model, seed)
        weights = describe_random(module, seed)
    else:
        module = get_model(name, weights=None, num_classes=len(enum.meta["categories"]))
        state, weights = _pretrained(model, enum)
        module.load_state_dict(state)
    return Net(
        module=module,
        num_features=remove_head(module, model),
        video=isinstance(preset, VideoClassification),
        preprocess=preset,
        words=" ".join(str(preset).split()),
        side=min(preset.resize_size),
        weights=weights,
    )


def _enum(model: str) -> tuple[str, WeightsEnum]:
    name, _, tag = model.partition("/")[2].partition(".")
    try:
        members = get_model_weights(name)
    except ValueError:
        raise UserError(f"backbone {model}: torchvision has no model {name!r}") from None
    try:
        return name, members[tag or "DEFAULT"]
    except KeyError:
        known = ", ".join(members.__members__)
        raise UserError(f"backbone {model}: its weights are {known}, not {tag!r}") from None


def _scaled(
    enum: WeightsEnum, preset: ImageClassification | VideoClassification, size: int
) -> ImageClassification | VideoClassification:
    """The same preprocessing for a crop of `size`: the resize before it follows in proportion."""
    resize = tuple(round(side * size / preset.crop_size[0]) for side in preset.resize_size)
    if isinstance(preset, VideoClassification):
        return enum.transforms(crop_size=(size, size), resize_size=resize)
    return enum.transforms(crop_size=size, resize_size=resize[0])


def _pretrained(model: str, enum: WeightsEnum) -> tuple[dict, dict[str, object]]:
    file = Path(torch.hub.get_dir()) / "checkpoints" / enum.url.rpartition("/")[2]
    # torchvision compares the hash in the name with what it fetches, not with what it finds.
    promised = re.search(r"-([0-9a-f]{8,})\.", file.name)
    if file.exists() and promised and not sha256_of(file).startswith(promised[1]):
        raise UserError(f"backbone {model}: {file} is damaged; delete it and run again")
    try:
        state = enum.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except OSError as error:
        raise UserError(
            f"backbone {model}: {enum.url} cannot be fetched ({error}); put the file at {file}, "
            "or set weights: random"
        ) from error
    except RuntimeError as error:  # the hash of what was fetched
        raise UserError(f"backbone {model}: {enum.url}: {error}; run again") from error
    weights = {
        "weights": str(enum),
        "weights_source": enum.url,
        "weights_sha256": sha256_of(file),
        "pretrained": True,
    }
    return state, weights
