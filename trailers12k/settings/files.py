"""Merges configuration files: config.yaml, and others that override its keys.

Reads YAML files. Must not know which keys a configuration has.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from trailers12k.common.bounded_files import parse_json, read_bytes, shown_key
from trailers12k.common.errors import UserError
from trailers12k.common.user_table import OTHER_FILES

CONFIG = "config.yaml"
"""The configuration of a collection, in its folder."""
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The loader written in C, where there is one, is ten times as fast."""
MERGE = "tag:yaml.org,2002:merge"
"""The key `<<`, which takes the keys of another mapping."""
MOST_BYTES = 1_000_000
"""Of a file; the complete presets have 20 kB."""
MOST_VALUES, MOST_LEVELS = 100_000, 20
"""Of a file whose aliases are replaced by what they stand for; configurations have 500, and 5."""
LONGEST = 200
"""Characters of a message of the YAML parser, which quotes the file."""
CONFLICT = "<<<<<<< "
"""The start of the line that Git writes before the two texts of a conflict."""
SAVE = "allowed: YAML in UTF-8"
NO_KEYS = "must hold keys and values, such as `seed: 2022`"
NOTHING = f"is empty or has only comments: it {NO_KEYS}"


def text_of(file: str | Path) -> str:
    """The text of a file in this folder. Raises `UserError` for anything but a small text file."""
    data = read_bytes(file, MOST_BYTES)
    if kind := next((kind for start, kind in OTHER_FILES.items() if data.startswith(start)), ""):
        raise UserError(f"{file}: it is {kind}, not a configuration; {SAVE}")
    before, nul, _ = data.partition(b"\0")
    if nul:
        line = before.count(b"\n") + 1
        raise UserError(f"{file}, line {line}: NUL bytes: the file is damaged; {SAVE}")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"{file}, line {line}: byte 0x{data[error.start]:02X} is not UTF-8: the file seems to "
            f"be saved in a Windows code page, such as 1252; {SAVE}"
        ) from None


def read_config(
    files: Iterable[str | Path] = (), text_of: Callable[[str | Path], str] = text_of
) -> dict[str, Any]:
    """config.yaml of this folder, overridden by `files` key by key, as Snakemake does it.

    text_of: reads a file; a version in Git has another. Raises `UserError` for a file that cannot
    be read or holds no mapping.
    """
    config: dict[str, Any] = {}
    for file in (CONFIG, *files):
        config = override(config, read_file(file, text_of))
    return config


def read_file(file: str | Path, text_of: Callable[[str | Path], str] = text_of) -> dict[str, Any]:
    """The mapping in one YAML file. Raises `UserError`, also for a file without keys."""
    text = ""
    try:
        text = text_of(file)
        _check_keys(text, file)
        content = yaml.load(text, Loader=LOADER)  # nosec B506  # a safe loader
    except UserError:
        raise
    # A number of 5000 digits and the 30th of February are a ValueError.
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise _unreadable(file, text, error) from None
    if not isinstance(content, Mapping):
        raise UserError(f"{file} {NO_KEYS}")
    return dict(content)


def _unreadable(file: str | Path, text: str, error: Exception) -> UserError:
    if line := _line_with_tab(text, error):
        return UserError(f"{file}, line {line}: a tab; indent with spaces")
    for number, each in enumerate(text.splitlines(), 1):
        if each.startswith(CONFLICT):
            return UserError(
                f"{file}, line {number}: {CONFLICT}begins a conflict of a merge in Git; keep one "
                "of its two texts and remove Git's marks"
            )
    words = " ".join(str(error).split())[:LONGEST]
    return UserError(f"{file} cannot be read: {words}")


def check_keys(files: Iterable[str | Path]) -> None:
    """Refuse files that Snakemake cannot read, and those that have a key twice, of which every
    reader silently drops the first.

    files: what Snakemake reads; missing ones are left to it. Raises `UserError`.
    """
    for file in files:
        if not Path(file).exists():
            continue
        text = text_of(file)
        try:
            _check_keys(text, file)
        except yaml.YAMLError as error:
            try:
                parse_json(text, file)  # some escapes are none of YAML
            except UserError:
                raise _unreadable(file, text, error) from None


def _check_keys(text: str, file: str | Path) -> None:
    """Raise `UserError` where a file is no mapping, or one at any level has a key twice, and see
    `_check_size`."""
    _check_size(text, file)
    # Nodes, since a loaded mapping has forgotten the first of two keys, and the lines.
    loader = LOADER(text)
    try:
        root = loader.get_single_node()
    finally:
        loader.dispose()
    if not isinstance(root, yaml.MappingNode):
        raise UserError(f"{file} {NO_KEYS if root else NOTHING}")
    nodes: list[tuple[str, Any]] = [("", root)]
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
            if not isinstance(key, yaml.ScalarNode):
                nodes += [(path, key), (path, value)]
                continue
            name, line = f"{path}{key.value}", key.start_mark.line + 1
            nodes.append((f"{name}.", value))
            if key.tag == MERGE:
                continue
            if first := lines.get((key.tag, key.value)):
                raise UserError(
                    f"{file}, line {line}: {shown_key(name)} is in line {first} already; allowed: "
                    "each key once, with all that is below it"
                )
            lines[key.tag, key.value] = line


def _check_size(text: str, file: str | Path) -> None:
    """Raise `UserError` for too many values or levels, which would end the process or take hours.

    Aliases count as what they stand for: nine lines can stand for 10^9 values.
    """
    known: dict[str, tuple[int, int]] = {}
    # Of each open list or mapping: its name, and the number and levels of its values.
    opened: list[tuple[str | None, int, int]] = [(None, 0, 0)]
    for event in yaml.parse(text, Loader=LOADER):
        name, values, levels = getattr(event, "anchor", None), 1, 1
        if isinstance(event, yaml.CollectionStartEvent):
            opened.append((name, 1, 1))
        elif isinstance(event, yaml.AliasEvent):
            if name in (each for each, _, _ in opened):
                raise UserError(f"{file}: an alias (*NAME) must not contain itself")
            values, levels = known.get(str(name), (1, 1))
        elif isinstance(event, yaml.CollectionEndEvent):
            name, values, levels = opened.pop()
        elif not isinstance(event, yaml.ScalarEvent):
            continue
        if name and not isinstance(event, yaml.AliasEvent | yaml.CollectionStartEvent):
            known[name] = values, levels
        if not isinstance(event, yaml.CollectionStartEvent):
            above, number, most = opened[-1]
            opened[-1] = above, number + values, max(most, levels + 1)
        if opened[-1][1] > MOST_VALUES or len(opened) + opened[-1][2] > MOST_LEVELS:
            raise UserError(
                f"{file} has too many values; allowed: {MOST_VALUES:,} in {MOST_LEVELS} levels, "
                "and aliases (*NAME) count as what they stand for"
            )


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
