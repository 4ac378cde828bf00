"""What a key of the configuration allows, in words, from the JSON schema of the settings.

Reads and writes nothing. Must not know any section of the configuration.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from trailers12k.settings.fields import MESSAGE
from trailers12k.settings.models import Settings

Schema = Mapping[str, Any]

KINDS = {
    "string": "text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
    "object": "a section",
}
BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "minProperties": "at least {} entry",
}


class _Generator(GenerateJsonSchema):
    """The schema without titles of fields, which only repeat their names."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def dict_schema(self, schema: Any) -> JsonSchemaValue:
        """The schema of a mapping; names of entries that do not match the pattern are refused."""
        generated = super().dict_schema(schema)
        if "patternProperties" in generated:
            generated["additionalProperties"] = False
        return generated

    def generate(self, schema: Any, mode: Any = "validation") -> JsonSchemaValue:
        return {"$schema": self.schema_dialect, **super().generate(schema, mode=mode)}


def json_schema() -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of the configuration file."""
    return Settings.model_json_schema(schema_generator=_Generator)


def resolve(node: Schema, schema: Schema) -> Schema:
    """The definition that a node refers to, or the node itself."""
    reference = node.get("$ref")
    return schema["$defs"][reference.rsplit("/", 1)[1]] if reference else node


def options(node: Schema, schema: Schema) -> list[Schema]:
    """The alternatives of a node, resolved; the node itself where it has none."""
    node = resolve(node, schema)
    several = node.get("anyOf") or node.get("oneOf")
    if not several:
        return [node]
    return [option for each in several for option in options(each, schema)]


def at(schema: Schema, path: Sequence[int | str]) -> Schema:
    """The node of a key, such as ("training", "lr"). Raises KeyError for an unknown key."""
    node = schema
    for part in path:
        inner = [_inner(option, part) for option in options(node, schema)]
        node = next((each for each in inner if each is not None), {})
        if not node:
            raise KeyError(".".join(map(str, path)))
    return node


def _inner(node: Schema, part: int | str) -> Schema | None:
    """The node of an entry of an object or array; None where this node has no such entry."""
    inner: Schema | None
    if isinstance(part, int) and node.get("type") == "array":
        several = node.get("prefixItems")
        inner = several[min(part, len(several) - 1)] if several else node.get("items")
    else:
        patterns = list(node.get("patternProperties", {}).values())
        inner = node.get("properties", {}).get(part) or next(iter(patterns), None)
        inner = inner or node.get("additionalProperties") or None
    return inner


def allowed_values(node: Schema, schema: Schema) -> str:
    """The values that a node allows in words, such as "an integer from 1 to 1000, or null"."""
    words = [_words(option, schema) for option in options(node, schema)]
    return ", or ".join(dict.fromkeys(words))


def _words(node: Schema, schema: Schema) -> str:
    if MESSAGE in node:
        return str(node[MESSAGE])
    if "const" in node:
        return str(node["const"])
    if "enum" in node:
        return ", ".join(str(value) for value in node["enum"])
    if node["type"] == "array":
        return _list_words(node, schema)
    kind = KINDS[node["type"]]
    if node.get("minLength"):
        return "text that is not empty"
    if {"minimum", "maximum"} <= node.keys():
        return f"{kind} from {node['minimum']} to {node['maximum']}"
    bounds = [words.format(node[key]) for key, words in BOUNDS.items() if key in node]
    return f"{kind}, {' and '.join(bounds)}" if bounds else kind


def _list_words(node: Schema, schema: Schema) -> str:
    if "prefixItems" in node:
        entry = allowed_values(node["prefixItems"][0], schema)
        return f"a list of {len(node['prefixItems'])}, each {entry}"
    if node["items"].get("type") == "array":
        return "a list of lists, such as [[A, B], [C]]"
    entry = allowed_values(node["items"], schema)
    extra = " without repetitions" if node.get("uniqueItems") else ""
    return f"a list{extra} of: {entry}"
