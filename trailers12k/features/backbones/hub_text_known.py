"""Which known models of the hub have a text network that shares a space with their features.

Reads and writes nothing. Must not import torch: the Snakefile imports this module.
"""

from trailers12k.features.backbones import hub_known, hub_vision_known

TOKENIZER, TOKENIZER_CONFIG = "tokenizer.json", "tokenizer_config.json"
TOKENIZER_FILES = (TOKENIZER, TOKENIZER_CONFIG)
"""The files of a tokenizer, beside those of its model."""
WITH_TEXT = ("clap", "clip", "siglip")
"""Kinds with a text network, those of `hub_text_kinds.TEXT_KINDS`."""


def kind_of(model: str) -> str:
    """The kind of a model, whatever its revision; empty for one that is not known by name."""
    found = hub_known.known(model) or hub_vision_known.known(model)
    return found.kind if found else ""


def text_fault(model: str, is_pretrained: bool) -> str:
    """Why a model cannot estimate genres from texts, as far as its name says; empty otherwise."""
    kind = kind_of(model)
    allowed = f"allowed: models of the kinds {', '.join(WITH_TEXT)}"
    if kind and kind not in WITH_TEXT:
        return f"{model} has no text network of the same space; {allowed}"
    if not kind and not is_pretrained:
        return f"{model} has random weights and no known kind; {allowed} that are listed"
    return ""
