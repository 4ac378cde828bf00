"""Models of the Hugging Face hub: their names, their files, and what a configuration may claim.

Reads a model's JSON files. Must not import torch nor transformers, nor run what a repository holds.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trailers12k.common.bounded_files import parse_json, quoted, read_bytes
from trailers12k.common.errors import UserError
from trailers12k.common.files import sha256_of
from trailers12k.features.backbones.spec import Weights

FAMILY = "hf"
CONFIG, PROCESSOR, TENSORS = "config.json", "preprocessor_config.json", "model.safetensors"
FILES = (CONFIG, PROCESSOR, TENSORS)
"""The files of a repository that are read. No other format of weights is: they may hold code."""
NAME = re.compile(r"hf/([A-Za-z0-9][\w.-]{0,95})/([A-Za-z0-9][\w.-]{0,95})(?:@([\w.-]{1,64}))?")
MAIN = "main"
"""The revision of a model that names none."""

JSON_BYTES = 4_000_000
"""Of a JSON file. Whisper's list its mel filters: 200 kB to 400 kB."""
MOST_NUMBER, MOST_LAYERS, MOST_ITEMS = 1_000_000, 200, 10_000
"""Of a whole number in a configuration; of a number of layers; of the values of a list."""
LAYERS = re.compile(r"layers|depth")
"""Part of the names of numbers of layers."""
CODE = ("auto_map", "custom_pipelines", "trust_remote_code")
"""Keys of a configuration that name code of its repository."""
CHOSEN = ("attn_implementation", "experts_implementation", "dtype", "torch_dtype")
"""Keys that choose kernels or a precision, which is not a file's business. Private keys neither."""
LABELS = ("num_labels", "id2label", "label2id")
"""Keys of classifiers, which are not built. The library would make a name for each label."""


@dataclass(frozen=True)
class HubName:
    """A model of the hub. repository: "OWNER/NAME". revision: a commit, tag or branch."""

    repository: str
    revision: str


@dataclass(frozen=True)
class HubWeights(Weights):
    """A file of weights with the JSON files beside it, which decide results as much.

    beside: name -> sha256 of each.
    """

    beside: Mapping[str, str] = field(default_factory=dict)

    @property
    def attributes(self) -> dict[str, object]:
        """What a store records of them."""
        return super().attributes | {"weights_files": dict(self.beside)}


def parse_name(model: str) -> HubName:
    """The repository and revision of "hf/OWNER/NAME[@REVISION]". Raises `UserError`."""
    match = NAME.fullmatch(model)
    if not match or ".." in model:
        raise UserError(
            f"backbone {model}: write hf/OWNER/NAME or hf/OWNER/NAME@REVISION, a model of the "
            "Hugging Face hub"
        )
    return HubName(f"{match[1]}/{match[2]}", match[3] or MAIN)


def hashes_beside(file: Path) -> dict[str, str]:
    """The sha256 of the JSON files beside a file of weights. Raises `UserError`."""
    found = {}
    for name in (CONFIG, PROCESSOR):
        path = file.with_name(name)
        if not path.is_file():
            raise UserError(f"there is no file {path}, which belongs to {file.name}")
        found[name] = sha256_of(path)
    return found


def check_beside(weights: HubWeights) -> None:
    """Raise `UserError` where a JSON file beside the weights is gone or changed."""
    for name, expected in weights.beside.items():
        path = Path(weights.file).with_name(name)
        if not path.is_file() or sha256_of(path) != expected:
            raise UserError(
                f"backbone {weights.model}: {path} is gone or changed; fetch it again with "
                "snakemake weights --forcerun fetch_weights"
            )


def read_config(path: Path, model: str) -> dict[str, Any]:
    """The values of a model's JSON file, bounded. Raises `UserError`.

    A file that names code of its repository is refused; what chooses kernels is left out.
    """
    content = parse_json(read_bytes(path, JSON_BYTES), path)
    if not isinstance(content, dict):
        raise UserError(f"backbone {model}: {path} holds no mapping of names to values")
    if named := [key for key in CODE if key in content]:
        raise UserError(
            f"backbone {model}: {path} names code of its repository ({named[0]}), which is never "
            "run; choose a model of transformers itself"
        )
    if "quantization_config" in content:
        raise UserError(f"backbone {model}: {path} describes quantized weights; choose others")
    _check_numbers(content, path, model)
    return _plain(content)


def _plain(content: dict[str, Any]) -> dict[str, Any]:
    """A configuration without what it may not choose, at any depth."""
    return {
        key: _plain(value) if isinstance(value, dict) else value
        for key, value in content.items()
        if not key.startswith("_") and key not in (*CHOSEN, *LABELS)
    }


def _check_numbers(value: object, path: Path, model: str, key: str = "") -> None:
    """Raise `UserError` for a number or list that no network has."""
    if isinstance(value, dict):
        for name, each in value.items():
            _check_numbers(each, path, model, name)
    elif isinstance(value, list):
        if len(value) > (MOST_LAYERS if LAYERS.search(key) else MOST_ITEMS):
            raise UserError(f"backbone {model}: {path}: {quoted(key)} has {len(value)} values")
        for each in value:
            _check_numbers(each, path, model, key)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        most = MOST_LAYERS if LAYERS.search(key) else MOST_NUMBER
        if isinstance(value, int) and abs(value) > most:
            raise UserError(
                f"backbone {model}: {path}: {quoted(key)} is {quoted(value)}; at most {most}"
            )
