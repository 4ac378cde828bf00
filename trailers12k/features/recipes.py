"""The recipe of any store, by the input of its backbone.

Reads and writes nothing. Must not import torch.
"""

from collections.abc import Mapping
from typing import Any

from trailers12k.common.vocabulary import STREAM_INPUTS
from trailers12k.features import recipe
from trailers12k.features.backbones.sound_spec import SoundSpec
from trailers12k.features.backbones.spec import BackboneSpec, Weights
from trailers12k.features.recipe import Recipe, describe_input
from trailers12k.features.sound_recipe import SoundRecipe


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
    return recipe.recipe_of(BackboneSpec(**backbone), clip_settings, code, seed, weights)


def described_input(recipe: Recipe | SoundRecipe) -> dict[str, object]:
    """What a store records of how its input was read."""
    if isinstance(recipe, SoundRecipe):
        return recipe.described_input
    return describe_input(recipe)
