"""Loads a backbone: a specification becomes a network with its preprocessing on a device.

Reads files of weights. Must not know videos, nor where weights come from.
"""

from collections.abc import Mapping
from importlib import import_module

import numpy as np

from trailers12k.common.errors import UserError
from trailers12k.features.backbones.common import Backbone
from trailers12k.features.backbones.devices import Device
from trailers12k.features.backbones.spec import FAMILY_MODULES, BackboneSpec, Weights, family_of
from trailers12k.features.backbones.weights import checked


def load(
    spec: BackboneSpec,
    seed: int,
    weights: Weights | None = None,
    device: Device | None = None,
    statistics: Mapping[str, np.ndarray] | None = None,
) -> Backbone:
    """The backbone that `spec` describes.

    seed: of random weights. weights: the pretrained ones, see `weights_fetch.fetch`.
    device: where it computes, by default the CPU; see `devices.claimed`.
    statistics: see `Backbone.statistics`; by default those of random weights are computed.

    Raises `UserError` for a model that does not exist and for weights that are missing or damaged.
    """
    family = import_module(FAMILY_MODULES[family_of(spec.model)])
    if spec.weights == "pretrained":
        if weights is None:
            raise UserError(
                f"backbone {spec.model}: fetch its pretrained weights first: snakemake weights"
            )
        weights = checked(weights)
    else:
        weights = None
    return Backbone(family.build(spec, seed, weights), spec, seed, device, statistics)
