"""Lists the models that the configuration can name, with licence and length of their features.

Reads the registries of timm and torchvision; run as a program, it writes weights_licenses.csv. Must
not know which models a configuration names.

    python -m trailers12k.features.backbones.listing
"""

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache

import timm
import torch
from torch import nn
from torchvision import models
from torchvision.transforms._presets import ImageClassification, VideoClassification

from trailers12k.common.bounded_files import quoted
from trailers12k.common.errors import UserError
from trailers12k.common.sound_models import HUB_FAMILY
from trailers12k.features.backbones.common import remove_head
from trailers12k.features.backbones.hub_known import KNOWN
from trailers12k.features.backbones.hub_vision_kinds import KINDS as VISION_KINDS
from trailers12k.features.backbones.hub_vision_known import KNOWN as KNOWN_VISION
from trailers12k.features.backbones.logmel import BANDS
from trailers12k.features.backbones.shufflenet3d import MODEL, ShuffleNet3D
from trailers12k.features.backbones.spec import family_of
from trailers12k.features.backbones.timm_nets import PACKAGED
from trailers12k.features.backbones.weights_licenses import NO_WEIGHTS, PACKAGED_LICENSES, TABLE

CLIPS = "clips"
IMAGES = "frames, posters"
AUDIO = "audio"
LOGMEL, SPEECH = "logmel/64", "silero/vad"
FEATURES = {LOGMEL: 128, SPEECH: 1} | {
    model: each.features for model, each in (KNOWN | KNOWN_VISION).items()
}
"""Models of sound and of the hub -> the length of their feature vectors."""
OTHERS = {
    "hf": "hf/OWNER/NAME and hf/OWNER/NAME@REVISION, any CLIP, SigLIP, V-JEPA 2, VideoMAE, "
    "TimeSformer or X-CLIP of the hub, and of sound any AST, CLAP, Whisper, wav2vec 2, HuBERT or "
    "WavLM,",
    "logmel": f"logmel/BANDS with {BANDS[0]} to {BANDS[1]} mel bands",
}
"""Family -> those of its models that can be named, in words. Not all of them are listed."""


@dataclass(frozen=True)
class ListedModel:
    """A model that an entry of `backbones` can name.

    model: its name there. input: `CLIPS`, `IMAGES` or `AUDIO`: what the key `input` allows for it.
    license: of the pretrained weights, as their publisher states it; empty where none is stated.
    """

    model: str
    input: str
    license: str


@cache
def list_models() -> tuple[ListedModel, ...]:
    """All models with pretrained weights, and those of sound, sorted by name."""
    models = [*_own(), *_of_sound(), *_of_the_hub(), *_of_torchvision(), *_of_timm()]
    return tuple(sorted(models, key=lambda each: each.model))


def matching(pattern: str) -> list[ListedModel]:
    """The models whose name matches, ignoring case: `resnet50` anywhere, or wildcards, `timm/*`.

    Also those with the input that the pattern names, such as `audio`. Raises `UserError` when there
    is none.
    """
    asked, pattern = pattern, pattern.lower()
    if not set(pattern) & set("*?["):
        pattern = f"*{pattern}*"
    found = [
        each
        for each in list_models()
        if fnmatchcase(each.model.lower(), pattern) or pattern.strip("*") in each.input.split(", ")
    ]
    if not found:
        allowed = OTHERS.get(pattern.strip("*").partition("/")[0])
        raise UserError(
            f"backbones: no model matches {quoted(asked)}; "
            + (
                f"{allowed} can be named though not listed"
                if allowed
                else "use part of a name, such as resnet50, or wildcards, such as 'timm/convnext*'"
            )
        )
    return found


def others(found: Iterable[ListedModel]) -> list[str]:
    """The models of the same families that can be named though they are not listed, in words."""
    families = dict.fromkeys(each.model.partition("/")[0] for each in found)
    return [OTHERS[family] for family in families if family in OTHERS]


def num_features(model: str) -> int:
    """The length of a model's feature vectors. Builds its layers without any weights."""
    if model in FEATURES:
        return FEATURES[model]
    return _num_features(architecture(model))


def architecture(model: str) -> str:
    """The name of a model without that of its weights; models that share it have equal layers."""
    return model if model == MODEL or model in FEATURES else model.partition(".")[0]


@cache
def _num_features(model: str) -> int:
    return without_classifier(model)[1]


def exists(architecture: str) -> bool:
    """Whether timm or torchvision has an architecture, such as "timm/resnet50", with or without
    pretrained weights."""
    family, _, name = architecture.partition("/")
    return timm.is_model(name) if family == "timm" else name in models.list_models()


def without_classifier(model: str) -> tuple[nn.Module, int]:
    """An architecture without its classifier, and the length of its features.

    Its layers have no numbers, except those of torchvision's RegNets, which compute their widths
    with tensors.
    """
    try:
        with torch.device("meta"):
            return _build(model)
    except NotImplementedError:
        return _build(model)


def _build(model: str) -> tuple[nn.Module, int]:
    name = model.partition("/")[2]
    if family_of(model) == "timm":
        module = timm.create_model(name, pretrained=False, num_classes=0)
        size = getattr(module, "head_hidden_size", None) or module.num_features
        assert isinstance(size, int)  # nosec B101  # for mypy
        return module, size
    module = ShuffleNet3D() if model == MODEL else models.get_model(name, weights=None)
    return module, remove_head(module, model)


def architecture_table(column: str, value: Callable[[str], object]) -> str:
    """`architecture,COLUMN` of all architectures that see, but those of the hub, as CSV.

    Only their configuration, which travels with the weights, says what those of the hub are.
    """
    models = [each.model for each in list_models() if each.input != AUDIO]
    names = {architecture(model) for model in models if family_of(model) != HUB_FAMILY}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("architecture", column))
    writer.writerows((name, value(name)) for name in sorted(names))
    return text.getvalue()


def _own() -> list[ListedModel]:
    return [
        ListedModel(MODEL, CLIPS, "must not be redistributed"),
        ListedModel(PACKAGED, IMAGES, "apache-2.0 (weights: package)"),
    ]


def _of_sound() -> list[ListedModel]:
    return [
        ListedModel(LOGMEL, AUDIO, NO_WEIGHTS),
        ListedModel(SPEECH, AUDIO, f"{PACKAGED_LICENSES['silero']} (weights: package)"),
        *(ListedModel(model, AUDIO, each.license) for model, each in KNOWN.items()),
    ]


def _of_the_hub() -> list[ListedModel]:
    inputs = {kind: CLIPS if own.sees_clips else IMAGES for kind, own in VISION_KINDS.items()}
    return [
        ListedModel(model, inputs[each.kind], each.license) for model, each in KNOWN_VISION.items()
    ]


def _of_torchvision() -> list[ListedModel]:
    inputs = {ImageClassification: IMAGES, VideoClassification: CLIPS}
    found = []
    for name in models.list_models():
        for weights in models.get_model_weights(name):
            # Also a partial; its function is the class of the preset.
            kind = getattr(weights.transforms, "func", weights.transforms)
            if kind in inputs and not name.startswith("quantized_"):
                licence = weights.meta.get("license", "")
                found.append(
                    ListedModel(f"torchvision/{name}.{weights.name}", inputs[kind], licence)
                )
    return found


def _of_timm() -> list[ListedModel]:
    found = []
    for name in timm.list_models(pretrained=True):
        config = timm.get_pretrained_cfg(name)
        if config and config.hf_hub_id:
            found.append(ListedModel(f"timm/{name}", IMAGES, config.license or ""))
    return found


def license_table() -> str:
    """`model,license` of all pretrained weights whose publisher states one, as CSV.

    A model without the name of its weights stands for its default ones.
    """
    stated = {
        each.model: each.license
        for each in list_models()
        if each.license and each.model not in (LOGMEL, SPEECH)
    }
    stated |= {MODEL: "must not be redistributed"}
    for name in timm.list_models():
        config = timm.get_pretrained_cfg(name)
        if config and config.hf_hub_id and config.license:
            stated[f"timm/{name}"] = config.license
    for name in models.list_models():
        default = f"torchvision/{name}.{models.get_model_weights(name).DEFAULT.name}"
        if default in stated:
            stated[f"torchvision/{name}"] = stated[default]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([("model", "license"), *sorted(stated.items())])
    return text.getvalue()


def main() -> None:
    """Writes weights_licenses.csv."""
    TABLE.write_text(license_table(), encoding="utf-8")


if __name__ == "__main__":
    main()
