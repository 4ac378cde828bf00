"""The registry of backbones: a name in the configuration becomes a network with its preprocessing.

Reads files of weights. Must not know files of videos, nor import torch before a backbone is loaded.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from trailers12k.common.errors import UserError
from trailers12k.features.backbones.names import FAMILY_MODULES, Weights, family_key

if TYPE_CHECKING:
    from trailers12k.features.backbones.common import Backbone
    from trailers12k.features.backbones.devices import Device


def load(
    spec: Mapping[str, object],
    seed: int,
    given: Weights | None = None,
    device: "Device | None" = None,
) -> "Backbone":
    """The backbone that an entry of the configuration describes, ready to be called.

    spec:
        model: "torchvision/NAME" or "torchvision/NAME.WEIGHTS" (a member of the model's weights
            enum, else its default), "timm/NAME", "shufflenet3d/1.0x".
        weights: "random" (from `seed` and the model's name), "pretrained", or "package" (a model
            whose weights come with a pip package: timm/tf_efficientnet_lite0).
        input: "clips" (the network sees a clip), "frames" (it sees single frames, whose features
            are averaged over the clip), "posters" (it sees one picture).
        precision: "fp32", "bf16", or "auto" (the default: bf16 where the device has it in hardware,
            and the model's features stay near enough).
        size: pixels of the square the network sees, default the weights' own. The resize before
            the crop follows in proportion. Smaller is faster: at 112 instead of 224, swin3d_t
            takes a sixth of the time. Features of pretrained weights get worse.
        batch: see `Backbone`.
    seed: of random weights.
    given: the pretrained weights, see `weights.fetch`.
    device: where to compute, by default the CPU; see `devices.claimed`.

    Raises `UserError` when the weights cannot be had.
    """
    from trailers12k.features.backbones.common import Backbone

    family = import_module(FAMILY_MODULES[family_key(str(spec["model"]))])
    if spec["weights"] == "pretrained":
        if given is None:
            raise UserError(
                f"backbone {spec['model']}: pretrained weights are fetched first: snakemake weights"
            )
        from trailers12k.features.backbones.weights import checked

        given = checked(given)
    return Backbone(family.build(spec, seed, given), spec, seed, device)
