"""Records of tokenizers that were fetched for weights.

Reads and writes build/tokenizers/*.json. Must not know how they are fetched, nor import torch.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

from trailers12k.common.files import read_json, reading, write_json
from trailers12k.features.backbones.hub_text_known import TOKENIZER_FILES
from trailers12k.features.backbones.spec import Weights


@dataclass(frozen=True)
class TokenizerRecord:
    """The tokenizer of fetched weights. model: see `Weights`. weights_sha256: of the weights.
    files: name -> sha256."""

    model: str
    weights_sha256: str
    files: dict[str, str]


def write_record(path: Path, record: TokenizerRecord) -> None:
    """Write the record of a tokenizer that is there."""
    write_json(path, asdict(record))


def read_record(path: Path, weights: Weights) -> TokenizerRecord:
    """The record of the tokenizer of these weights. Raises `UserError` where it is damaged, or of
    others."""
    with reading(path):
        record = TokenizerRecord(**read_json(path))
        if record.weights_sha256 != weights.sha256 or {*record.files} != {*TOKENIZER_FILES}:
            raise ValueError("it is of other weights")
        return record
