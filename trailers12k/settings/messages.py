"""One line about a fault of the configuration: the key, its value, and what is allowed.

Reads and writes nothing. Must not know how a stage uses its settings.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from trailers12k.common.bounded_files import quoted, shown_key
from trailers12k.settings.allowed import allowed_values, at, json_schema, options
from trailers12k.settings.fields import SECRET

LONGEST = 80
"""Characters of a value that a message shows."""

NAMES = {
    "backbones": "1 to 60 letters, digits and _",
    "runs": "1 to 60 letters, digits, _, + and -",
    "published.md5": "mtgc.csv, or STORE.zarr.tar.gz",
}
"""What names of entries may consist of, in words; their patterns are types in `fields`."""


Path = Sequence[int | str]


def describe(error: ValidationError) -> str:
    """The first fault of a configuration; unknown keys come first, as they explain others."""
    faults = error.errors(include_url=False, include_context=False)
    fault = min(faults, key=lambda each: each["type"] != "extra_forbidden")
    path = list(fault["loc"])
    if path[0] == "splits":
        del path[1:2]  # The label of one of its two forms, which is no key.
    kind, value = fault["type"], fault["input"]
    schema = json_schema()
    if kind == "extra_forbidden":
        return _unknown_key(path, value, schema)
    *above, key = path
    if kind == "invalid_key":
        return _bad_name(above, value)
    if key == "[key]":
        return _bad_name(above[:-1], value)
    if kind == "missing" and isinstance(key, int):  # The list is too short.
        path = above
    elif kind == "missing":
        required = options(at(schema, above), schema)[0]["required"]
        return f"{_key(above)}: {key} is missing; required: {', '.join(required)}"
    tried, path = path, _without_label(path, schema)
    is_type = kind.endswith("_type") and path == tried
    wrong = "has the wrong type" if is_type else "is not allowed"
    node = at(schema, path)
    allowed = allowed_values(node, schema)
    if any(option.get(SECRET) for option in options(node, schema)):
        return f"{_key(path)}: the value, a secret, {wrong}; allowed: {allowed}"
    hint = " (YAML reads 1e-4 as text; write 1.0e-4)" if _is_exponent(kind, value) else ""
    hint = _hint_of_list(value, allowed) or hint
    return f"{_key(path)}: {_shown(value)} {wrong}; allowed: {allowed}{hint}"


def _hint_of_list(value: object, allowed: str) -> str:
    """How a list of names is written where a list of lists is allowed; empty for all else."""
    if "a list of lists" not in allowed or not isinstance(value, list) or not value:
        return ""
    if not all(isinstance(name, str) for name in value):
        return ""
    names = ", ".join(value)
    return f"; write [[{names}]]" if len(names) <= LONGEST else "; write [[...]]"


def _without_label(path: list[int | str], schema: dict[str, Any]) -> list[int | str]:
    """The path without what follows the key: pydantic adds which of several types was tried."""
    for end in range(len(path), 0, -1):
        try:
            at(schema, path[:end])
        except KeyError:
            continue
        return path[:end]
    return path


def _unknown_key(path: Path, value: object, schema: dict[str, Any]) -> str:
    *above, name = path
    section = next(each for each in options(at(schema, above), schema) if "properties" in each)
    keys = ", ".join(sorted(section["properties"]))
    where = f" in {_key(above)}" if above else ""
    near = get_close_matches(str(name)[:LONGEST], section["properties"], 1, cutoff=0.7)
    hint = f"did you mean {near[0]}? Allowed" if near else "allowed"
    homes = [each for each in schema["properties"] if name in _keys_of(each, schema)]
    if not above and not near and len(homes) == 1:
        hint = f"it belongs below {homes[0]}; allowed here"
    return f"{_key(path)}: unknown key (value {_shown(value)}); {hint}{where}: {keys}"


def _keys_of(section: str, schema: dict[str, Any]) -> set[str]:
    """The keys of a section; none for a key that is no section."""
    found = options(at(schema, [section]), schema)
    return {key for each in found for key in each.get("properties", ())}


def _bad_name(section: Path, name: object) -> str:
    """A fault of the name of an entry, such as a store's."""
    if not isinstance(name, str):
        hint = ", and write decimals with a point" if isinstance(name, int) else ""
        return f"{_key(section)}: the name {_shown(name)} is not text; put it in quotes{hint}"
    allowed = NAMES.get(_key(section), "text that is not empty")
    return f"{_key(section)}: the name {_shown(name)} is not allowed; allowed: {allowed}"


def _key(path: Path) -> str:
    return shown_key(".".join(str(part) for part in path)) or "the top level"


def _shown(value: object) -> str:
    return quoted(value, LONGEST)


def _is_exponent(kind: str, value: object) -> bool:
    """Whether a text is a number that YAML did not recognise, such as 1e-4."""
    if kind != "float_type" or not isinstance(value, str):
        return False
    try:
        float(value)
    except ValueError:
        return False
    return True
