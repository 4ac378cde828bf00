"""Records that name a backbone and its weights, and the registry of the families of models.

Reads and writes nothing. Must not import torch: what Snakemake reads while it is parsed imports it.
"""

from dataclasses import dataclass, fields
from typing import Literal

from trailers12k.common.errors import UserError

FAMILY_MODULES = {
    "torchvision": "trailers12k.features.backbones.torchvision_nets",
    "timm": "trailers12k.features.backbones.timm_nets",
    "shufflenet3d": "trailers12k.features.backbones.shufflenet3d",
    "hf": "trailers12k.features.backbones.hub_vision",
}
"""Family, the prefix of a model's name -> the module that builds its models."""


LIGHT_VIDEO = ("shufflenet3d",)
"""Families whose networks take a clip in so little time that a batch of several is faster."""


@dataclass(frozen=True)
class BackboneSpec:
    """One backbone of the configuration.

    model: "torchvision/NAME" or "torchvision/NAME.WEIGHTS" (a member of the model's weights enum,
        by default its DEFAULT), "timm/NAME", "shufflenet3d/1.0x".
    weights: "random" (from the seed and the model's name), "pretrained", or "package" (weights of
        a pip package, see `packaged.PACKAGED`).
    input: "clips" (the network sees a clip), "frames" (it sees single frames, whose features are
        averaged over the clip), "posters" (it sees one image).
    precision: "fp32", "bf16", or "auto": bf16 where the device has it in hardware and the model's
        features stay close enough.
    size: side in pixels of the square that the network sees; None for that of the weights. The
        resize before the crop follows in proportion. Smaller is faster: at 112 instead of 224,
        swin3d_t takes a sixth of the time. Features of pretrained weights get worse.
    image_frames: evenly spaced frames of a clip that an image network sees; None for all.
    batch: clips of a video network, or images, in one forward pass; "auto": `initial_batch`,
        until `features.batch_sizes` has measured a GPU. No result depends on it.
    """

    model: str
    weights: str
    input: str
    precision: str = "auto"
    size: int | None = None
    image_frames: int | None = None
    batch: int | Literal["auto"] = "auto"

    @property
    def initial_batch(self) -> int:
        """The batch on a CPU, where a larger one gains nothing; a GPU's may be larger."""
        if self.batch != "auto":
            return self.batch
        is_heavy = self.input == "clips" and family_of(self.model) not in LIGHT_VIDEO
        return 1 if is_heavy else 8

    @property
    def determining(self) -> dict[str, str | int]:
        """The fields that determine results, without those that are None."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        del named["batch"]
        return {name: value for name, value in named.items() if value is not None}


@dataclass(frozen=True)
class Origin:
    """Where pretrained weights are published.

    name: of the weights. url: of the file. path: of the file under a folder or mirror.
    """

    name: str
    url: str
    path: str


@dataclass(frozen=True)
class Weights:
    """A file of pretrained weights on this machine.

    model: whose weights they are. name: of the weights. file: its path. source: a URL, or a
        description of where it came from. sha256, bytes: of the file.
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


def family_of(model: str) -> str:
    """The family of a model: "timm" for "timm/resnet50.a1_in1k". Raises `UserError`."""
    family, _, name = model.partition("/")
    if family not in FAMILY_MODULES or not name:
        raise UserError(
            f"backbone model {model!r}: write FAMILY/NAME with one of the families "
            f"{', '.join(FAMILY_MODULES)}, for example torchvision/resnet50"
        )
    return family
