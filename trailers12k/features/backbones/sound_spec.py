"""Records that name a backbone of sound, and the registry of their families.

Reads and writes nothing. Must not import torch: what Snakemake reads while it is parsed imports it.
Apart from `spec`, so that the features of frames do not depend on what hears sound.
"""

from dataclasses import dataclass, fields
from typing import Literal

from trailers12k.common.errors import UserError

SOUND_FAMILY_MODULES = {
    "logmel": "trailers12k.features.backbones.logmel",
    "silero": "trailers12k.features.backbones.silero",
    "hf": "trailers12k.features.backbones.hub_sound",
}
"""Family, the prefix of a model's name -> the module that builds its models."""

PRECISION = "fp32"
"""Of all networks of sound."""


@dataclass(frozen=True)
class SoundSpec:
    """One backbone of sound of the configuration.

    model: "logmel/BANDS", "silero/vad", "hf/OWNER/NAME" or "hf/OWNER/NAME@REVISION".
    weights: "none", "package", "random" (from the seed and the model's name) or "pretrained".
    input: "audio". context: seconds of sound before and after a clip that the model hears too;
        None for the model's own. batch: clips in one forward pass; no result depends on it.
    """

    model: str
    weights: str
    input: str = "audio"
    context: float | None = None
    batch: int | Literal["auto"] = "auto"

    @property
    def initial_batch(self) -> int:
        """The batch until `features.batch_sizes` has measured a GPU."""
        return 8 if self.batch == "auto" else self.batch

    @property
    def determining(self) -> dict[str, str | float]:
        """The fields that determine results, without those that are None."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        del named["batch"]
        return {name: value for name, value in named.items() if value is not None}


def sound_family_of(model: str) -> str:
    """The family of a model of sound: "logmel" for "logmel/64". Raises `UserError`."""
    family, _, name = model.partition("/")
    if family not in SOUND_FAMILY_MODULES or not name:
        raise UserError(
            f"backbone model {model!r}: write FAMILY/NAME with one of the families of sound: "
            f"{', '.join(SOUND_FAMILY_MODULES)}"
        )
    return family
