"""The record of a backbone of the hub that sees clips: what its frames are chosen by.

Reads and writes nothing. Must not import torch. Apart from `spec`, so that the features of other
families do not depend on it.
"""

from dataclasses import dataclass

from trailers12k.features.backbones.spec import BackboneSpec


@dataclass(frozen=True)
class HubSpec(BackboneSpec):
    """A model of the hub whose input is "clips".

    fps: frames of a clip a second. fpc: frames of a clip. See `recipe.Sampling`.
    """

    fps: float = 0
    fpc: int = 0

    @property
    def determining(self) -> dict[str, str | int]:
        """As of any backbone: a recipe has `fps` and `fpc` among the settings of its clips."""
        named = super().determining
        del named["fps"], named["fpc"]
        return named
