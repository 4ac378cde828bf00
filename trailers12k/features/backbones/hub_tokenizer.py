"""Turns texts into tokens: with a model's own tokenizer.json, or byte by byte for random weights.

Reads tokenizer.json and tokenizer_config.json. Must not import transformers, nor run what a
repository holds: a tokenizer.json is data for the package tokenizers.
"""

import json
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from trailers12k.common.bounded_files import parse_json, quoted, read_bytes
from trailers12k.common.errors import UserError
from trailers12k.common.files import sha256_of
from trailers12k.features.backbones import hub, tokenizer_bounds
from trailers12k.features.backbones.hub_text_kinds import BEGIN, END
from trailers12k.features.backbones.hub_text_known import (
    TOKENIZER,
    TOKENIZER_CONFIG,
    TOKENIZER_FILES,
)

MOST_BYTES = 64_000_000
"""Of tokenizer.json; that of SigLIP 2 has 34 MB, others 2 to 4 MB."""
MOST_CHARACTERS = 10_000
"""Of a text on its way to tokens; the longest of a configuration has 300."""
SIGLIP = "SiglipTokenizer"
"""The class of SigLIP's tokenizer, which leaves punctuation out: `canonicalize_text` in
transformers' tokenization_siglip.py. That of SigLIP 2 keeps it."""


class Tokenizer(Protocol):
    """Turns a text into tokens."""

    @property
    def padding(self) -> tuple[int, str]:
        """The token that fills a text up, and its side."""

    def tokens(self, text: str) -> list[int]:
        """The tokens of a text, with those that begin and end it."""


class ByteTokenizer:
    """The UTF-8 bytes of a text between two tokens of their own, for networks of random weights."""

    padding = (END + 1, "right")

    def tokens(self, text: str) -> list[int]:
        """As of `Tokenizer`."""
        return [BEGIN, *text.encode(), END]


@dataclass(frozen=True)
class OwnTokenizer:
    """A model's own. library: a `tokenizers.Tokenizer`. file: that it was read from. kind:
    `model_type` of the model.

    ending: the token that must end a text, where tokenizer_config.json says so; else None.
    """

    library: Any
    file: Path
    kind: str
    drops_punctuation: bool
    padding: tuple[int, str]
    ending: int | None

    def tokens(self, text: str) -> list[int]:
        """As of `Tokenizer`. SigLIP was trained on lower case."""
        if self.kind == "siglip":
            text = text.lower()
        if self.drops_punctuation:
            text = " ".join(text.translate(str.maketrans("", "", string.punctuation)).split())
        found: list[int] = _guarded(lambda: _encoded(self.library, text), self.file)
        if self.ending is not None and found[-1:] != [self.ending]:
            found = [*found, self.ending]
        return found


def hashes_of(folder: Path) -> dict[str, str]:
    """The sha256 of a tokenizer's files in a folder. Raises `UserError` where one is missing."""
    for name in TOKENIZER_FILES:
        if not (folder / name).is_file():
            raise UserError(
                f"there is no file {folder / name}, which a run with zero_shot needs beside the "
                "weights"
            )
    return {name: sha256_of(folder / name) for name in TOKENIZER_FILES}


def read_tokenizer(folder: Path, hashes: Mapping[str, str], model: str, kind: str) -> OwnTokenizer:
    """A model's own tokenizer. hashes: of its files, see `hashes_of`.

    Raises `UserError` for files that changed or are none of a tokenizer.
    """
    for name, expected in hashes.items():
        path = folder / name
        if not path.is_file() or sha256_of(path) != expected:
            raise UserError(
                f"backbone {model}: {path} is gone or changed; fetch it again with "
                "snakemake --forcerun fetch_tokenizer"
            )
    path = folder / TOKENIZER_CONFIG
    values = parse_json(read_bytes(path, hub.JSON_BYTES), path)
    if not isinstance(values, dict):
        raise UserError(f"backbone {model}: {path} holds no mapping of names to values")
    library = _parsed(folder / TOKENIZER)
    padding = _token(library, values, "pad_token")
    side = values.get("padding_side", "right")
    if kind == "siglip" and padding is None or side not in ("left", "right"):
        raise UserError(
            f"backbone {model}: {path} names no pad_token of {TOKENIZER}, or "
            f"a strange padding_side, {quoted(side)}"
        )
    is_siglip = kind == "siglip" and str(values.get("tokenizer_class")).startswith(SIGLIP)
    ends = is_siglip or values.get("add_eos_token") is True
    return OwnTokenizer(
        library,
        folder / TOKENIZER,
        kind,
        drops_punctuation=is_siglip,
        padding=(padding or 0, str(side)),
        ending=_token(library, values, "eos_token") if ends else None,
    )


def _parsed(path: Path) -> Any:
    """A tokenizer without padding or truncation of its own. Raises `UserError`."""
    from tokenizers import Tokenizer as Library

    content = read_bytes(path, MOST_BYTES)
    # Written anew: the library may read another of two equal keys than was checked.
    values = _guarded(lambda: parse_json(content, path), path)
    checked = _guarded(lambda: json.dumps(tokenizer_bounds.bounded(values)), path)
    return _guarded(lambda: Library.from_str(checked), path)


def _encoded(library: Any, text: str) -> list[int]:
    """The tokens of a text, which no step before may make long. Raises ValueError."""
    steps, normal = library.normalizer, text
    for step in steps if hasattr(steps, "__getitem__") else [steps] if steps else []:
        normal = step.normalize_str(normal)
        if len(normal) > MOST_CHARACTERS:
            raise ValueError(f"it makes {MOST_CHARACTERS} characters or more of {quoted(text)}")
    ids: list[int] = library.encode(text).ids
    return ids


def _guarded(call: Callable[[], Any], path: Path) -> Any:
    """What a call of the library returns. Raises `UserError` for whatever it raises.

    It states no errors, and a panic of its Rust code is no Exception.
    """
    try:
        return call()
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"{path} is no tokenizer: {reason}") from error


def _token(library: Any, values: Mapping[str, Any], key: str) -> int | None:
    """The number of the token that a key names; None without."""
    named = values.get(key)
    if isinstance(named, dict):
        named = named.get("content")
    found: int | None = library.token_to_id(named) if isinstance(named, str) else None
    return found
