"""Refuses a tokenizer.json that would take time or memory without bound.

Reads and writes nothing. Must not know the package tokenizers, nor which model a tokenizer is of.

The package gives a regular expression ten million steps at each character of a text. What is
allowed here takes at most as many steps as the square of a text's length. All of the tokenizers of
CLIP, SigLIP and CLAP that transformers 5.24 writes are allowed.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from trailers12k.common.bounded_files import quoted

MOST_PARTS = 50
"""Steps before a model reads words, with their parts."""
LONGEST = 1000
"""Characters of a regular expression."""
MOST_CONTENT = 2
"""Characters that replace one match, or that begin a text."""
MOST_MAPPED = 64
"""Bytes that stand for one character; 33 are the longest of Unicode's compatibility forms."""
MOST_POST = 10_000
"""Characters of what adds tokens at both ends of a text."""
UNUSED = ("decoder", "padding", "truncation")
"""Sections that encoding a text does without."""

_ATOM = re.compile(
    r"\\p\{\^?\w{1,40}\}|\\[sSdDwWAznt]|\\[^\w\s]|\[\^?(?:\\.|[^\[\]\\&])+\]|.", re.S
)
"""An atom of a regular expression as both Python and Oniguruma read it. Escapes that take what
follows them, such as `\\c[`, are none."""
_COUNT = re.compile(r"\{\d{1,3}(?:,\d{0,3})?\}")


def bounded(values: object) -> dict[str, Any]:
    """A tokenizer.json without its unused sections. Raises `ValueError` for the first fault."""
    if not isinstance(values, dict):
        raise ValueError("it holds no mapping of names to values")
    kept = {key: value for key, value in values.items() if key not in UNUSED}
    parts = [*_parts(kept.get("normalizer")), *_parts(kept.get("pre_tokenizer"))]
    if len(parts) > MOST_PARTS:
        raise ValueError(f"it has {len(parts)} steps; at most {MOST_PARTS}")
    for part in parts:
        _check_part(part)
    if len(json.dumps(kept.get("post_processor"))) > MOST_POST:
        raise ValueError(f"its post_processor has more than {MOST_POST} characters")
    return kept


def _parts(section: object) -> Iterator[Mapping[str, Any]]:
    """All mappings within a section."""
    left = [section]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            yield value
            left += value.values()
        elif isinstance(value, list):
            left += value


def _check_part(part: Mapping[str, Any]) -> None:
    if "Regex" in part:
        check_pattern(str(part["Regex"]))
    if part.get("String") == "":
        raise ValueError("it replaces an empty text")
    for key in ("content", "prepend"):
        if len(str(part.get(key, ""))) > MOST_CONTENT:
            raise ValueError(f"its {key} {quoted(part[key])} is long; at most {MOST_CONTENT}")
    if (mapped := part.get("precompiled_charsmap")) is not None:
        content = base64.b64decode(str(mapped))
        texts = content[4 + int.from_bytes(content[:4], "little") :].split(b"\0")
        if max(map(len, texts)) > MOST_MAPPED:
            raise ValueError(f"it maps a character to more than {MOST_MAPPED} bytes")


def check_pattern(pattern: str) -> None:
    """Raise `ValueError` for a regular expression that could take long.

    Allowed are alternatives without groups, each with one repetition at most.
    """
    fault = "is long" if len(pattern) > LONGEST else ""
    place = repeated = 0
    while place < len(pattern) and not fault:
        counted = _COUNT.match(pattern, place)
        found = counted or _ATOM.match(pattern, place)
        atom = found[0] if found else ""
        place += len(atom)
        repeated = 0 if atom == "|" else repeated + (bool(counted) or atom in ("*", "+", "?"))
        if atom in ("", "(", ")", "[", "\\", "{", "}"):
            fault = "has a group, or what is not known here"
        elif repeated > 1:
            fault = "repeats twice"
    if fault:
        raise ValueError(f"its regular expression {quoted(pattern)} {fault}, and could take long")
