"""The recipe of any store, by the input of its backbone.

Reads and writes nothing. Must not import torch.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trailers12k.common.sound_models import HUB_FAMILY
from trailers12k.common.vocabulary import STREAM_INPUTS
from trailers12k.features import recipe
from trailers12k.features.backbones.hub import HubWeights
from trailers12k.features.backbones.hub_spec import HubSpec
from trailers12k.features.backbones.sound_spec import SoundSpec
from trailers12k.features.backbones.spec import BackboneSpec, Weights
from trailers12k.features.recipe import Recipe, describe_input
from trailers12k.features.sound_recipe import SoundRecipe


@dataclass(frozen=True)
class HubRecipe(Recipe):
    """A recipe whose weights have files beside them, on which results depend too."""

    @property
    def determined_by(self) -> dict[str, object]:
        """See `Recipe`."""
        beside = dict(self.weights.beside) if isinstance(self.weights, HubWeights) else None
        return super().determined_by | ({"weights_files": beside} if beside else {})


def recipe_of(
    backbone: Mapping[str, Any],
    clip_settings: Mapping[str, Any],
    code: str,
    seed: int,
    weights: Weights | None,
) -> Recipe | SoundRecipe:
    """The recipe of a store.

    backbone: the fields of `BackboneSpec` or `SoundSpec`. clip_settings: see `recipe.recipe_of`.
    """
    if backbone["input"] == STREAM_INPUTS["audio"]:
        return SoundRecipe(SoundSpec(**backbone), code, seed, weights)
    spec = BackboneSpec(**backbone)
    if spec.model.partition("/")[0] != HUB_FAMILY:
        return recipe.recipe_of(spec, clip_settings, code, seed, weights)
    if spec.input == STREAM_INPUTS["video"]:
        spec = HubSpec(**backbone, fps=clip_settings["fps"], fpc=clip_settings["fpc"])
    sampling = recipe.recipe_of(spec, clip_settings, code, seed, weights).sampling
    return HubRecipe(spec, sampling, code, seed, weights)


def described_input(recipe: Recipe | SoundRecipe) -> dict[str, object]:
    """What a store records of how its input was read."""
    if isinstance(recipe, SoundRecipe):
        return recipe.described_input
    return describe_input(recipe)
