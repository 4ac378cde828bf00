"""The names of backbones and of their weights; which modules determine what a backbone computes.

Reads and writes nothing. Must not import torch: the Snakefile asks while it is parsed.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from trailers12k.common.errors import UserError
from trailers12k.common.fingerprint import fingerprint
from trailers12k.common.vocabulary import UNTRAINED

FAMILIES = {
    "torchvision": "torchvision_nets",
    "timm": "timm_nets",
    "shufflenet3d": "shufflenet3d",
}
"""Prefix of a model's name -> the module of this package that builds it."""


@dataclass(frozen=True)
class Origin:
    """Where pretrained weights are published.

    name: what they are called. url: of the file. path: under a folder or mirror.
    """

    name: str
    url: str
    path: str


@dataclass(frozen=True)
class Weights:
    """A file of pretrained weights on this machine.

    model: whose. name: what they are called. file: its path. source: where it came from.
    sha256, bytes: of the file.
    """

    model: str
    name: str
    file: str
    source: str
    sha256: str
    bytes: int

    @property
    def attributes(self) -> dict[str, object]:
        """What a store records of them."""
        return {
            "weights": self.name,
            "weights_source": self.source,
            "weights_sha256": self.sha256,
            "pretrained": True,
        }


def read_weights(record: str | Path) -> Weights:
    """The weights that a record tells of."""
    return Weights(**json.loads(Path(record).read_text(encoding="utf-8")))


def weights_key(spec: Mapping) -> str:
    """A name for a backbone's pretrained weights; two with the same share them."""
    own = {key: spec[key] for key in ("file", "sha256") if key in spec}
    return spec["model"].replace("/", ".") + (f".{fingerprint(**own)[:8]}" if own else "")


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
    return ["features.backbones.common", f"features.backbones.{family_of(model)}", "common.seeds"]


def words_on(stores: Iterable[Mapping]) -> str:
    """The weights behind stores, by their attributes, with `UNTRAINED` where they are random.

    The authors' own stores tell nothing of theirs.
    """
    words = [
        "as published"
        if "weights" not in told
        else told["weights"]
        if told["pretrained"]
        else f"{UNTRAINED} ({told['weights']})"
        for told in stores
    ]
    return " + ".join(dict.fromkeys(words))


def pretrained_of(stores: Iterable[Mapping]) -> bool | None:
    """Whether all weights behind stores are pretrained, by their attributes; None: not recorded.

    One store with random weights makes it False.
    """
    values = [attributes.get("pretrained") for attributes in stores]
    if False in values:
        return False
    return None if None in values else True
