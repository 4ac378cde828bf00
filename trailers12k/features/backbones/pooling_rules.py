"""Says how encoders pool, from their layers.

Run as a program, it writes pooling.csv. Must not know which models a configuration names.

    python -m trailers12k.features.backbones.pooling_rules

Sources: timm 1.0, layers/pool1d.py (`global_pool_nlc`), layers/adaptive_avgmax_pool.py
(`SelectAdaptivePool2d`) and `forward_head` of each class; torchvision 0.29, `forward` of each
class.
"""

from torch import nn
from torchvision.models import VGG, AlexNet, VisionTransformer
from torchvision.models.video import MViT

from trailers12k.common.files import write_text
from trailers12k.features.backbones.listing import architecture_table, without_classifier
from trailers12k.features.backbones.pooling import (
    ATTENTION,
    AVERAGE,
    CLASS,
    CLASS_AND_DISTILLATION,
    CLASSES,
    HIDDEN,
    NOT_POOLED,
    PATCHES,
    TABLE,
)

ATTENTION_LAYERS = ("AttentionPool2d", "AttentionPoolLatent", "AttentionPoolPrr")
"""Layers of timm that pool by attention."""
AVERAGES = ("avg", "fast")
"""Kinds of timm's layers that average; the second is the same mean, computed faster."""
DISTILLED = ("VisionTransformerDistilled", "PoolingVisionTransformer")
"""Classes of timm that average two tokens where they were distilled."""
UNPOOLED = ("", "soft", "merge", "align")
"""Values of `global_pool` with which timm's networks return a vector for each patch."""


def pooling(model: str) -> str:
    """How the features of an architecture of timm or torchvision, or of our own, are pooled."""
    module, _ = without_classifier(model)
    return of_timm(module) if model.startswith("timm/") else of_torchvision(module)


def of_timm(module: nn.Module) -> str:
    """How a network of timm pools. Raises ValueError for a kind that is not known."""
    kinds = {type(each).__name__ for each in module.modules()}
    if kinds.intersection(ATTENTION_LAYERS):
        return ATTENTION
    kind = _kind(module)
    if kind == "token":
        return _token(module)
    if kind in AVERAGES:
        return PATCHES if hasattr(module, "num_prefix_tokens") else AVERAGE
    if kind in UNPOOLED:
        return NOT_POOLED
    raise ValueError(f"{type(module).__name__}: unknown pooling {kind!r}")


def _kind(module: nn.Module) -> str:
    """`global_pool` of a network, or of the last of its layers that has a kind of pooling."""
    if isinstance(own := getattr(module, "global_pool", None), str):
        return own
    kinds = [each.pool_type for each in module.modules() if hasattr(each, "pool_type")]
    return str(kinds[-1]) if kinds else "none"


def _token(module: nn.Module) -> str:
    name = type(module).__name__
    if name == "CrossVit":
        return CLASSES
    is_distilled = name in DISTILLED and getattr(module, "head_dist", None) is not None
    return CLASS_AND_DISTILLATION if is_distilled else CLASS


def of_torchvision(module: nn.Module) -> str:
    """How a network of torchvision, or the 3D ShuffleNetV2, pools."""
    if isinstance(module, VisionTransformer | MViT):
        return CLASS
    return HIDDEN if isinstance(module, AlexNet | VGG) else AVERAGE


def main() -> None:
    """Writes the table, of all models that `trailers12k backbones` lists; takes some minutes."""
    write_text(TABLE, architecture_table("pooling", pooling))


if __name__ == "__main__":
    main()
