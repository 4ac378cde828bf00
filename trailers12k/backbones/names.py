"""The names of backbones: which are valid, and which modules determine what one computes.

Reads and writes nothing. Must not import torch: the Snakefile asks while it is parsed.
"""

from collections.abc import Iterable, Mapping

from trailers12k.jobs import UserError

UNTRAINED = "untrained"
"""The word by which results on random weights are known."""

FAMILIES = {
    "torchvision": "torchvision_nets",
    "timm": "timm_nets",
    "shufflenet3d": "shufflenet3d",
}
"""Prefix of a model's name -> the module of this package that builds it."""


def family_of(model: str) -> str:
    """The module that builds `model`, for example "timm_nets" of "timm/resnet50.a1_in1k"."""
    prefix, _, name = model.partition("/")
    if prefix not in FAMILIES or not name:
        raise UserError(
            f"backbone model {model!r}: write PREFIX/NAME with one of the prefixes "
            f"{', '.join(FAMILIES)}, for example torchvision/resnet50"
        )
    return FAMILIES[prefix]


def modules_of(model: str) -> list[str]:
    """The modules whose code determines this model's features, for `fingerprint.code_version`."""
    return ["backbones.common", f"backbones.{family_of(model)}"]


def words_on(stores: Iterable[Mapping]) -> str:
    """The weights behind stores, by their attributes, with `UNTRAINED` where they are random."""
    words = [
        told["weights"] if told["pretrained"] else f"{UNTRAINED} ({told['weights']})"
        for told in stores
    ]
    return " + ".join(dict.fromkeys(words))
