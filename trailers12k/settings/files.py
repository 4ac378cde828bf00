"""Merges configuration files: config.yaml, and others that override its keys.

Reads YAML files. Must not know which keys a configuration has.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import yaml

from trailers12k.common.bounded_files import is_absent, quoted, read_bytes, shown_path
from trailers12k.common.errors import UserError

MOST_BYTES = 1_000_000
MOST_DEPTH = 20
"""Levels of nesting. The settings have five; the loader written in C crashes at 100,000."""
MOST_VALUES = 20_000
"""Values with those that aliases repeat: ten lines of aliases stand for a billion."""
LONGEST_FAULT = 200
LONGEST_VALUE = 10_000
"""Characters."""

CONFIG = "config.yaml"
"""The configuration of a collection, in its folder."""
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The loader written in C, where there is one, is ten times as fast."""
MERGE = "tag:yaml.org,2002:merge"
"""The key `<<`, which takes the keys of another mapping."""


def text_of(file: str | Path) -> str:
    """The text of a file in this folder."""
    return read_bytes(file, MOST_BYTES).decode("utf-8")


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
        content = yaml.load(text, Loader=LOADER)  # nosec B506  # a safe loader
    except UserError:
        raise
    # A ValueError comes from a date such as 2026-99-99, and from a number of 5,000 digits.
    except (OSError, ValueError, yaml.YAMLError) as error:
        if line := _line_with_tab(text, error):
            raise UserError(f"{file}, line {line}: a tab; indent with spaces") from None
        words = " ".join(str(error).split())
        words = words if len(words) <= LONGEST_FAULT else f"{words[:LONGEST_FAULT]}…"
        raise UserError(f"{shown_path(file)} cannot be read: {words}") from error
    if not isinstance(content, Mapping | None):
        raise UserError(f"{file} must hold keys and values, such as `seed: 2022`")
    return dict(content or {})


def check_keys(files: Iterable[str | Path]) -> None:
    """Refuse files that have a key twice, of which every reader silently drops the first, and files
    that would take much time or memory to load.

    files: what Snakemake reads, where they exist. What it reads in another way, such as JSON, is
    left to it.
    Raises `UserError`.
    """
    for file in files:
        try:
            if not is_absent(file):
                _check_keys(text_of(file), file)
        except (UnicodeDecodeError, yaml.YAMLError):
            continue


def _check_keys(text: str, file: str | Path) -> None:
    """Raise `UserError` where a mapping at any level has a key twice."""
    _check_size(text, file)
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
                    f"{file}, line {line}: {shown_path(name)} is in line {first} already; allowed: "
                    "each key once, with all that is below it"
                )
            lines[key.tag, key.value] = line


def _check_size(text: str, file: str | Path) -> None:
    """Raise `UserError` for a file that would take much time or memory to load."""
    count = 0
    begun: list[tuple[str | None, int]] = []
    sizes: dict[str | None, int] = {}  # anchor -> values, with those of its own aliases

    def refuse(event: yaml.Event, fault: str) -> NoReturn:
        line = event.start_mark.line + 1 if event.start_mark else 1
        raise UserError(f"{shown_path(file)}, line {line}: {fault}")

    # Events, since a node is made with all that is below it.
    for event in yaml.parse(text, Loader=LOADER):
        if isinstance(event, yaml.CollectionEndEvent):
            anchor, before = begun.pop()
            sizes[anchor] = count - before
            continue
        count += sizes.get(event.anchor, 0) if isinstance(event, yaml.AliasEvent) else 1
        if isinstance(event, yaml.CollectionStartEvent):
            begun.append((event.anchor, count))
        if len(begun) > MOST_DEPTH:
            refuse(event, f"nested too deeply; allowed: at most {MOST_DEPTH} levels")
        if count > MOST_VALUES:
            refuse(event, f"too many values, with aliases; allowed: at most {MOST_VALUES:,}")
        if isinstance(event, yaml.ScalarEvent) and len(event.value) > LONGEST_VALUE:
            fault = f"{quoted(event.value, 40)} has {len(event.value):,} characters"
            refuse(event, f"{fault}; allowed: at most {LONGEST_VALUE:,}")


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
