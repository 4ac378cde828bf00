"""Fetches the tokenizer of a model of the hub, which lies beside its weights.

Reads a network or a folder; writes the files. Must not know the texts about genres;
runs no code of a repository.
"""

from pathlib import Path

import numpy as np
from huggingface_hub import hf_hub_url

from trailers12k.common.errors import UserError
from trailers12k.common.files import inside
from trailers12k.downloads import http
from trailers12k.downloads.bounds import Bounds
from trailers12k.features import weights_download
from trailers12k.features.backbones import hub, hub_text, hub_tokenizer
from trailers12k.features.backbones.hub_faults import fitting
from trailers12k.features.backbones.hub_text_known import TOKENIZER_FILES
from trailers12k.features.backbones.spec import Weights
from trailers12k.features.tokenizer_record import TokenizerRecord

LIMITS = http.Checks(most_bytes=hub_tokenizer.MOST_BYTES)
TRIED = ("a movie", "rain at sea")
"""Texts that must have different vectors."""
LEAST = 1e-6
"""Difference of two vectors, of their largest number, that is more than rounding."""


def fetch(weights: Weights, fetched: Path, mirror: str | None, bounds: Bounds) -> TokenizerRecord:
    """Have the tokenizer of a model on this machine, and try its text network.

    fetched: the folder of fetched weights; mirror, bounds: see `weights_fetch.fetch`. The files are
    of the commit of the weights; those of the user's own weights lie beside them. Raises
    `UserError`.
    """
    folder = Path(weights.file).parent
    if folder.resolve().is_relative_to(fetched.resolve()):
        name = hub.parse_name(f"{hub.FAMILY}/{weights.name}")
        for file in TOKENIZER_FILES:
            address = (
                f"{mirror.rstrip('/')}/{name.repository}/{file}"
                if mirror is not None
                else hf_hub_url(name.repository, file, revision=name.revision)
            )
            _obtain(address, inside(folder, file), weights.model, bounds)
    files = hub_tokenizer.hashes_of(folder)
    _try(weights, files)
    return TokenizerRecord(weights.model, weights.sha256, files)


def _obtain(address: str, path: Path, model: str, bounds: Bounds) -> None:
    try:
        weights_download.obtain(address, path, model, "", bounds, LIMITS, anew=True)
    except UserError as error:
        # The advice first: the end of a long message may not be shown.
        raise UserError(
            f"backbone {model}: zero_shot needs its {path.name}; set weights_from to a folder or a "
            f"mirror that has it, or leave the run out; cause: {weights_download.cause(error)}"
        ) from error


def _try(weights: Weights, files: dict[str, str]) -> None:
    """Raise `UserError` where the text network gives no vectors, or equal ones.

    Once here, not after hours.
    """
    with fitting(weights.model):
        first, second = hub_text.load(weights.model, 0, weights, files).embed(TRIED)
    if np.abs(first - second).max() <= LEAST * np.abs(first).max():
        raise UserError(
            f"backbone {weights.model}: its files do not fit one another: different texts have the "
            "same vector"
        )
