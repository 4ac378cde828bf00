"""The registry of backbones: a name in the configuration becomes a network with its preprocessing.

Reads weights. Must not know files of videos, nor import torch before a backbone is loaded.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from trailers12k.backbones.names import family_of

if TYPE_CHECKING:
    from trailers12k.backbones.common import Backbone


def load(spec: Mapping[str, object], seed: int) -> "Backbone":
    """The backbone that an entry of the configuration describes, ready to be called.

    spec:
        model: "torchvision/NAME" or "torchvision/NAME.WEIGHTS" (a member of the model's weights
            enum, else its default), "timm/NAME", "shufflenet3d/1.0x".
        weights: "random" (from `seed` and the model's name), "pretrained", or "package" (a model
            whose weights come with a pip package: timm/tf_efficientnet_lite0).
        input: "clips" (the network sees a clip), "frames" (it sees single frames, whose features
            are averaged over the clip), "posters" (it sees one picture).
        precision: "fp32", "bf16", "auto" (the default: bf16 on a GPU or a CPU with AMX,
            where it is faster).
        size: pixels of the square the network sees, default the weights' own. The resize before
            the crop follows in proportion. Smaller is faster: at 112 instead of 224, swin3d_t
            takes a sixth of the time. Features of pretrained weights get worse.
        file: the checkpoint, for pretrained weights that no package can fetch.
    seed: of random weights.

    Raises `UserError` when the weights cannot be had.
    """
    common = import_module("trailers12k.backbones.common")
    family = import_module(f"trailers12k.backbones.{family_of(spec['model'])}")
    return common.Backbone(family.build(spec, seed), spec, seed)
