"""Counts the parameters of encoders without their classifiers.

Run as a program, it writes parameter_counts.csv. Must not know which models a configuration names.

    python -m trailers12k.features.backbones.counting
"""

import csv
import io
from collections.abc import Iterable

import timm
import torch
from torch import nn
from torchvision import models

from trailers12k.common.files import write_text
from trailers12k.features.backbones.common import remove_head
from trailers12k.features.backbones.listing import AUDIO, architecture, list_models
from trailers12k.features.backbones.parameter_counts import TABLE
from trailers12k.features.backbones.shufflenet3d import ShuffleNet3D


def count(model: str) -> int:
    """The parameters of an architecture without its classifier."""
    try:
        with torch.device("meta"):  # layers without numbers
            module = _build(model)
    except NotImplementedError:  # RegNets compute their widths with tensors
        module = _build(model)
    return sum(each.numel() for each in module.parameters())


def _build(model: str) -> nn.Module:
    family, _, name = model.partition("/")
    if family == "timm":
        return timm.create_model(name, pretrained=False, num_classes=0)
    module = ShuffleNet3D() if family == "shufflenet3d" else models.get_model(name, weights=None)
    remove_head(module, model)
    return module


def table(architectures: Iterable[str]) -> str:
    """`architecture,parameters` of architectures, as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("architecture", "parameters"))
    writer.writerows((name, count(name)) for name in sorted(set(architectures)))
    return text.getvalue()


def main() -> None:
    """Writes the table, of all models that `trailers12k backbones` lists; takes some minutes."""
    named = (each.model for each in list_models() if each.input != AUDIO)
    write_text(TABLE, table(map(architecture, named)))


if __name__ == "__main__":
    main()
