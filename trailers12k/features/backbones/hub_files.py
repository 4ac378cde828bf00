"""The JSON files of a model of the hub, whose processor has one of two names.

Reads the files to hash them. Must not import torch nor transformers.
"""

from pathlib import Path

from trailers12k.common.errors import UserError
from trailers12k.common.files import sha256_of
from trailers12k.features.backbones import hub

PROCESSORS = (hub.PROCESSOR, "video_preprocessor_config.json")
"""The file of a processor: the first that a repository has."""


def hashes_beside(file: Path) -> dict[str, str]:
    """The sha256 of the JSON files beside a file of weights. Raises `UserError`."""
    found = {}
    for names in ((hub.CONFIG,), PROCESSORS):
        path = next((own for name in names if (own := file.with_name(name)).is_file()), None)
        if path is None:
            raise UserError(
                f"there is no file {file.with_name(names[0])}, which belongs to {file.name}"
            )
        found[path.name] = sha256_of(path)
    return found


def processor_of(weights: hub.HubWeights) -> str:
    """The name of the processor's file beside weights."""
    return next(name for name in PROCESSORS if name in weights.beside)
