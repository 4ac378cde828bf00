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
MERGE = "tag:yaml.org,2002:merge"
"""The key `<<`, which takes the keys of another mapping."""


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
    text = ""
    try:
        text = text_of(file)
        _check_keys(text, file)
        content = yaml.load(text, Loader=LOADER)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        if line := _line_with_tab(text, error):
            raise UserError(f"{file}, line {line}: a tab; indent with spaces") from None
        raise UserError(f"{file} cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(content, Mapping | None):
        raise UserError(f"{file} must hold keys and values, such as `seed: 2022`")
    return dict(content or {})


def check_keys(files: Iterable[str | Path]) -> None:
    """Refuse files that have a key twice, of which every reader silently drops the first.

    files: what Snakemake has read. What it reads in another way, such as JSON, is left to it.
    Raises `UserError`.
    """
    for file in files:
        try:
            _check_keys(text_of(file), file)
        except (OSError, UnicodeDecodeError, yaml.YAMLError):
            continue


def _check_keys(text: str, file: str | Path) -> None:
    """Raise `UserError` where a mapping at any level has a key twice."""
    # Nodes, since a loaded mapping has forgotten the first of two keys, and the lines.
    loader = LOADER(text)
    try:
        nodes = [("", loader.get_single_node())]
    finally:
        loader.dispose()
    seen: set[int] = set()  # An alias may lead back to a node above it.
    while nodes:
        path, node = nodes.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            nodes += [(path, each) for each in node.value]
        lines: dict[tuple[str, str], int] = {}
        for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
            name, line = f"{path}{key.value}", key.start_mark.line + 1
            nodes.append((f"{name}.", value))
            if not isinstance(key, yaml.ScalarNode) or key.tag == MERGE:
                continue
            if first := lines.get((key.tag, key.value)):
                raise UserError(
                    f"{file}, line {line}: {name} is in line {first} already; allowed: each key "
                    "once, with all that is below it"
                )
            lines[key.tag, key.value] = line


def _line_with_tab(text: str, error: Exception) -> int:
    """The line that a tab indents, where that is the fault of YAML; else 0."""
    mark = getattr(error, "problem_mark", None)
    lines = text.splitlines()
    if mark is None or mark.line >= len(lines):
        return 0
    line = lines[mark.line]
    return mark.line + 1 if "\t" in line[: len(line) - len(line.lstrip())] else 0


def override(config: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of `config` with the keys of `other`; mappings are merged key by key."""
    merged = dict(config)
    for key, value in other.items():
        if isinstance(value, Mapping):
            old = merged.get(key)
            value = override(old if isinstance(old, Mapping) else {}, value)
        merged[key] = value
    return merged
