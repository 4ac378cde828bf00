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
"""Characters of a regular expression, and of a word that is divided."""
AFFIXES, LONGEST_AFFIX = ("continuing_subword_prefix", "end_of_word_suffix"), 20
"""What marks parts of words, and its characters; BERT has `##`, CLIP `</w>`."""
MOST_CONTENT = 2
"""Characters that replace one match, or that begin a text."""
MOST_MAPPED = 64
"""Bytes that stand for one character; 33 are the longest of Unicode's compatibility forms."""
MOST_POST = 10_000
"""Characters of what adds tokens at both ends of a text."""
MOST_ADDED, LONGEST_ADDED = 2000, 200
"""Added tokens, and characters of one; Gemma has some hundred, of at most 31 characters."""
MOST_GROWN = 100
"""Times that all steps together can lengthen a text."""
MOST_WORK = 10_000_000
"""Sum of the squares of the lengths of all added tokens, grown. The package normalizes them as it
reads the file."""
GROWTH = {
    **dict.fromkeys(("Strip", "StripAccents", "Nmt"), 1),
    **{"Lowercase": 2, "NFC": 3, "NFD": 4, "BertNormalizer": 4, "ByteLevel": 4},
    **{"NFKC": 18, "NFKD": 18},
}
"""Type of a step -> the most characters that it makes of one."""
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
    if kept.get("normalizer") is not None:
        # Flat, so that a caller can look at the text after each step.
        flat = _flat(kept["normalizer"])
        kept["normalizer"] = {"type": "Sequence", "normalizers": flat}
    parts = [*_parts(kept.get("normalizer")), *_parts(kept.get("pre_tokenizer"))]
    if len(parts) > MOST_PARTS:
        raise ValueError(f"it has {len(parts)} steps; at most {MOST_PARTS}")
    for part in parts:
        _check_part(part)
    _check_model(kept.get("model"))
    _check_added(kept.get("added_tokens"), _growth(kept))
    if len(json.dumps(kept.get("post_processor"))) > MOST_POST:
        raise ValueError(f"its post_processor has more than {MOST_POST} characters")
    return kept


def _check_model(model: object) -> None:
    """Raise `ValueError` for a model that draws lots, or takes long at a word."""
    if not isinstance(model, dict):
        raise ValueError("it has no model")
    if model.get("dropout"):
        raise ValueError("its model has a dropout, so that a text has other tokens each time")
    for key in AFFIXES:
        if len(str(model.get(key) or "")) > LONGEST_AFFIX:
            raise ValueError(f"its {key} is long; at most {LONGEST_AFFIX} characters")
    longest = model.get("max_input_chars_per_word", 0)
    if type(longest) is not int or not 0 <= longest <= LONGEST:
        raise ValueError(f"its max_input_chars_per_word is {quoted(longest)}; at most {LONGEST}")


def _flat(normalizer: object) -> list[object]:
    """The steps of a normalizer, in their order, also of those that are sequences themselves."""
    left, steps = [normalizer], []
    while left:
        step = left.pop()
        if isinstance(step, dict) and isinstance(inner := step.get("normalizers"), list):
            left += reversed(inner)
        else:
            steps.append(step)
    return steps


def _growth(kept: Mapping[str, Any]) -> float:
    """How many times longer a text can become. Raises `ValueError` where that is a lot."""
    normalizer = kept.get("normalizer") or {"normalizers": []}
    grown = 1.0
    for step in normalizer["normalizers"]:
        grown *= _step_growth(step)
    for part in _parts(kept.get("pre_tokenizer")):
        grown *= GROWTH["ByteLevel"] if part.get("type") == "ByteLevel" else 1
    if grown > MOST_GROWN:
        raise ValueError(f"its steps make a text {grown:.0f} times longer; at most {MOST_GROWN}")
    return grown


def _step_growth(step: object) -> float:
    kind = step.get("type") if isinstance(step, dict) else None
    if not isinstance(step, dict) or not isinstance(kind, str):
        raise ValueError(f"its normalizer has a step without a type, {quoted(step)}")
    if kind == "Replace":
        pattern = step.get("pattern")
        text = pattern.get("String") if isinstance(pattern, dict) else None
        return max(1.0, len(str(step.get("content"))) / (len(text) if isinstance(text, str) else 1))
    if kind == "Prepend":
        return 1.0 + len(str(step.get("prepend")))
    if kind == "Precompiled":
        return float(max(1, _longest_mapped(step.get("precompiled_charsmap"))))
    if kind not in GROWTH:
        raise ValueError(f"its normalizer has an unknown step, {quoted(kind)}")
    return GROWTH[kind]


def _check_added(added: object, growth: float) -> None:
    """Raise `ValueError` for added tokens that take long to normalize. growth: see `_growth`."""
    if not isinstance(added, list | None):
        raise ValueError("its added_tokens are no list")
    tokens = [each if isinstance(each, dict) else {} for each in added or []]
    lengths = [len(str(each.get("content", ""))) for each in tokens]
    if len(lengths) > MOST_ADDED or max(lengths, default=0) > LONGEST_ADDED:
        raise ValueError(
            f"it has {len(lengths)} added_tokens of up to {max(lengths)} characters; at most "
            f"{MOST_ADDED} of {LONGEST_ADDED}"
        )
    work = sum(
        (length * growth) ** 2
        for each, length in zip(tokens, lengths, strict=True)
        if each.get("normalized") is not False
    )
    if work > MOST_WORK:
        raise ValueError("its added_tokens are long, and its steps make them longer")


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
    if _longest_mapped(part.get("precompiled_charsmap")) > MOST_MAPPED:
        raise ValueError(f"it maps a character to more than {MOST_MAPPED} bytes")


def _longest_mapped(mapped: object) -> int:
    """Bytes of the longest text that a map of characters holds; 0 without."""
    content = base64.b64decode(str(mapped or ""))
    texts = content[4 + int.from_bytes(content[:4], "little") :].split(b"\0")
    return max(map(len, texts))


def check_pattern(pattern: str) -> None:
    """Raise `ValueError` for a regular expression that could take long.

    Allowed are alternatives without groups, each with one repetition at most. Each must take a
    character: what matches an empty text matches everywhere, and its replacement lengthens.
    """
    fault = "is long" if len(pattern) > LONGEST else ""
    place = repeated = needed = 0
    while place < len(pattern) and not fault:
        counted = _COUNT.match(pattern, place)
        found = counted or _ATOM.match(pattern, place)
        atom = found[0] if found else ""
        place += len(atom)
        if atom == "|" and needed < 1:
            break
        needed = 0 if atom == "|" else needed + _needed(atom, counted)
        repeated = 0 if atom == "|" else repeated + (bool(counted) or atom in ("*", "+", "?"))
        if atom in ("", "(", ")", "[", "\\", "{", "}"):
            fault = "has a group, or what is not known here"
        elif repeated > 1:
            fault = "repeats twice"
    if not fault and needed < 1:
        fault = "matches an empty text"
    if fault:
        raise ValueError(f"its regular expression {quoted(pattern)} {fault}, and could take long")


def _needed(atom: str, counted: re.Match[str] | None) -> int:
    """What an atom adds to the characters that a match takes at least; -1 makes the last optional.

    An anchor takes none.
    """
    if counted:
        return -1 if int(atom.strip("{}").split(",")[0]) == 0 else 0
    if atom in ("*", "?"):
        return -1
    return 0 if atom in ("+", "^", "$", r"\A", r"\z") else 1
