"""Fetches the tokenizer of a model of the hub, which lies beside its weights.

Reads a network or a folder; writes the files and their record, build/tokenizers/*.json. Must not
know what texts are asked; runs no code of a repository.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

from huggingface_hub import hf_hub_url

from trailers12k.common.errors import UserError
from trailers12k.common.files import inside, read_json, reading, write_json
from trailers12k.downloads import http
from trailers12k.downloads.bounds import Bounds
from trailers12k.features import weights_download
from trailers12k.features.backbones import hub, hub_text, hub_tokenizer
from trailers12k.features.backbones.spec import Weights

LIMITS = http.Checks(most_bytes=hub_tokenizer.MOST_BYTES)
TRIED = "a movie"


@dataclass(frozen=True)
class TokenizerRecord:
    """The tokenizer of fetched weights. model: see `Weights`. weights_sha256: of the weights.
    files: name -> sha256."""

    model: str
    weights_sha256: str
    files: dict[str, str]


def fetch(weights: Weights, fetched: Path, mirror: str | None, bounds: Bounds) -> TokenizerRecord:
    """Have the tokenizer of a model on this machine, and try its text network.

    fetched: the folder of fetched weights; mirror, bounds: see `weights_fetch.fetch`. The files are
    of the commit of the weights; those of the user's own weights lie beside them. Raises
    `UserError`.
    """
    folder = Path(weights.file).parent
    if folder.resolve().is_relative_to(fetched.resolve()):
        name = hub.parse_name(f"{hub.FAMILY}/{weights.name}")
        for file in hub_tokenizer.FILES:
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
    """Raise `UserError` where the text network gives no vector: once here, not after hours."""
    try:
        hub_text.load(weights.model, 0, weights, files).embed([TRIED])
    except UserError:
        raise
    # The library states no errors, and a hostile file may raise any.
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise UserError(
            f"backbone {weights.model}: its files do not fit one another: {reason}"
        ) from error


def write_record(path: Path, record: TokenizerRecord) -> None:
    """Write the record of a tokenizer that is there."""
    write_json(path, asdict(record))


def read_record(path: Path, weights: Weights) -> TokenizerRecord:
    """The record of the tokenizer of these weights. Raises `UserError` where it is damaged, or of
    others."""
    with reading(path):
        record = TokenizerRecord(**read_json(path))
        if record.weights_sha256 != weights.sha256 or {*record.files} != {*hub_tokenizer.FILES}:
            raise ValueError("it is of other weights")
        return record
