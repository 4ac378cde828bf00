"""Lists the backbones that the configuration can name, with licence and length of their features.

Reads the registries of torchvision and timm; writes nothing. Must not load weights.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

import timm
import torch
import torchvision
from timm.models import get_pretrained_cfg
from torchvision.models import get_model, get_model_weights, list_models

from trailers12k.features.backbones import shufflenet3d, timm_nets, torchvision_nets
from trailers12k.features.backbones.common import remove_head

SIZED = 20
"""Most models whose features are measured: each must be built, without weights."""
NOT_STATED = "not stated"


@dataclass(frozen=True)
class Listed:
    """One model that can stand in `backbones` of the configuration.

    model: its name there. input: "clips", or "frames, posters".
    weights: where weights come from: "published", "package" or "user's file".
    licence: of the weights, as their publisher states it.
    num_features: length of its features; None when it was not measured.
    """

    model: str
    input: str
    weights: str
    licence: str
    num_features: int | None = None


def listing(pattern: str = "") -> list[Listed]:
    """The models whose names match, sorted by name.

    pattern: part of a name, or a shell pattern such as "timm/swin*in1k"; empty for all.
    Features are measured when at most `SIZED` models match.
    """
    if not any(character in pattern for character in "*?["):
        pattern = f"*{pattern}*"
    rows = sorted(
        (row for row in _all() if fnmatchcase(row.model, pattern)), key=lambda row: row.model
    )
    if len(rows) > SIZED:
        return rows
    return [
        Listed(row.model, row.input, row.weights, row.licence, num_features(row.model))
        for row in rows
    ]


def num_features(model: str) -> int:
    """The length of a model's features. The model is built without memory for its weights."""
    family, _, name = model.partition("/")
    with torch.device("meta"):
        if family == "timm":
            return timm_nets.length_of_features(timm.create_model(name, num_classes=0))
        if family == "torchvision":
            name, _, tag = name.partition(".")
            options = torchvision_nets.options(name, get_model_weights(name)[tag])
            if name in ("googlenet", "inception_v3"):
                options["init_weights"] = False  # which takes minutes
            return remove_head(get_model(name, weights=None, **options), model)
        return remove_head(shufflenet3d.ShuffleNet3D(), model)


def _all() -> Iterator[Listed]:
    images, videos = "frames, posters", "clips"
    for module, inputs in ((torchvision.models, images), (torchvision.models.video, videos)):
        for name in list_models(module=module):
            for weights in get_model_weights(name):
                licence = weights.meta.get("license") or NOT_STATED
                yield Listed(f"torchvision/{name}.{weights.name}", inputs, "published", licence)
    for name in timm.list_models(pretrained=True):
        config = get_pretrained_cfg(name)
        licence = config.license if config else None
        yield Listed(f"timm/{name}", images, "published", licence or NOT_STATED)
    yield Listed(timm_nets.PACKAGED, images, "package", "apache-2.0")
    yield Listed(shufflenet3d.MODEL, videos, "user's file", NOT_STATED)
