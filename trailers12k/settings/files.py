"""Merges configuration files: config.yaml, and others that override its keys.

Reads YAML files. Must not know which keys a configuration has.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from trailers12k.common.errors import UserError

CONFIG = "config.yaml"
"""The configuration of a collection, in its folder."""
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The loader written in C, where there is one, is ten times as fast."""


def text_of(file: str | Path) -> str:
    """The text of a file in this folder."""
    return Path(file).read_text(encoding="utf-8")


def read_config(
    files: Iterable[str | Path] = (), text_of: Callable[[str | Path], str] = text_of
) -> dict[str, Any]:
    """config.yaml of this folder, overridden by `files` key by key, as Snakemake does it.

    text_of: reads a file; a version in Git has another. Raises `UserError` for a file that cannot
    be read or holds no mapping.
    """
    config: dict[str, Any] = {}
    for file in (CONFIG, *files):
        try:
            config = override(config, read_file(file, text_of))
        except RecursionError:
            raise UserError(f"{file}: an alias (*NAME) must not contain itself") from None
    return config


def read_file(file: str | Path, text_of: Callable[[str | Path], str] = text_of) -> dict[str, Any]:
    """The mapping in one YAML file; empty for an empty file. Raises `UserError`."""
    try:
        content = yaml.load(text_of(file), Loader=LOADER)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"{file} cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(content, Mapping | None):
        raise UserError(f"{file} must hold keys and values, such as `seed: 2022`")
    return dict(content or {})


def override(config: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of `config` with the keys of `other`; mappings are merged key by key."""
    merged = dict(config)
    for key, value in other.items():
        if isinstance(value, Mapping):
            old = merged.get(key)
            value = override(old if isinstance(old, Mapping) else {}, value)
        merged[key] = value
    return merged
