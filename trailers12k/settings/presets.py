"""The presets: whole configurations, generated from the models of the settings.

Writes presets/*.yaml of the repository. Must not know how a stage uses its settings.

    python -m trailers12k.settings.presets
"""

import textwrap
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml
from pydantic import BaseModel

from trailers12k.common.vocabulary import PUBLISHED, REQUESTS
from trailers12k.settings import modern
from trailers12k.settings.models import Settings
from trailers12k.settings.schema import SCHEMA

FOLDER = Path(__file__).parents[2] / "presets"
"""Where the repository keeps the generated files."""
WIDTH = 100


@dataclass(frozen=True)
class Preset:
    """A preset. head: its first comment; values: keys that are not the paper's; left_out: sections
    that play no part in it."""

    head: str
    values: Mapping[str, Any] = field(default_factory=dict)
    left_out: Collection[str] = ()


PRESETS = MappingProxyType(
    {
        "trailers12k": Preset(
            head="Rebuilds Trailers12k: its own movies, trailers from YouTube, pretrained weights, "
            "and the paper's values of every setting. For movies of your own, replace `movies`.",
            left_out=("sample",),
        ),
        "modern": Preset(
            head="The movies of Trailers12k with today's encoders beside the paper's eight rows: "
            "images, videos, sound, fusions of them, and rows without training. `trailers12k "
            "estimate` says what it costs. No weights could be downloaded from where this preset "
            "was made, so it has run with random ones only; a line above each store of today says "
            "so, with the licence. Needs the package transformers: pip install -c lock.txt -e "
            "'.[hf]'",
            values={"backbones": modern.stores(), "runs": modern.runs()},
            left_out=("sample",),
        ),
        "published": Preset(
            head="The paper's table from the authors' own features: no videos are downloaded and "
            "no features are computed. The settings of downloads, clips and backbones serve "
            "`trailers12k predict`, which computes the features of another trailer.",
            values={"movies": [PUBLISHED], "splits": PUBLISHED},
            left_out=(
                *("sample", "sources", "curation", "shards", "max_failure_rate", "posters"),
                *("features", "report", "publish"),
            ),
        ),
    }
)
NOTES = {
    "trailers_k_shufflenet_fps24_fpc24": "The authors of these weights publish them on a drive "
    "that programs cannot fetch from. Download the file by hand and put it here.",
    **modern.NOTES,
}
"""Store -> a comment above its entry."""


def preset_text(name: str, schema: str) -> str:
    """A preset as a commented config.yaml. schema: the path by which editors find the schema."""
    preset = PRESETS[name]
    settings = Settings.model_validate(preset.values)
    head = [
        f"# yaml-language-server: $schema={schema}",
        *_comment(preset.head, 0),
        *_comment("docs/configuration.md lists every key with its allowed values.", 0),
    ]
    keys = _keys(settings, (*preset.left_out, *REQUESTS))
    return "\n".join([*head, *keys]) + "\n"


def repository_text(name: str) -> str:
    """A preset as the repository's presets/ holds it."""
    return preset_text(name, f"../{SCHEMA.relative_to(FOLDER.parent).as_posix()}")


def _keys(model: BaseModel, left_out: Collection[str] = (), depth: int = 0) -> Iterator[str]:
    """The lines of a section's keys, each below a comment of what it means."""
    plain = model.model_dump(mode="json")
    for name, description in type(model).model_fields.items():
        if name in left_out or name not in plain:  # a secret is in no file
            continue
        value = getattr(model, name)
        if depth == 0:
            yield ""
        yield from _comment(description.description or "", depth)
        if isinstance(value, BaseModel):
            yield f"{'  ' * depth}{name}:"
            yield from _keys(value, depth=depth + 1)
        elif _is_entries(value):
            yield from _entries(name, value)
        else:
            yield from _value(name, plain[name], depth)


def _is_entries(value: object) -> bool:
    """Whether a value is a mapping of names to models: stores or runs."""
    return isinstance(value, Mapping) and any(isinstance(v, BaseModel) for v in value.values())


def _entries(name: str, entries: Mapping[str, BaseModel]) -> Iterator[str]:
    """The lines of a section of named entries, below the meanings of an entry's keys."""
    kind = type(next(iter(entries.values())))
    width = max(map(len, kind.model_fields))
    for key, description in kind.model_fields.items():
        indent = f"#   {'':{width}}  "
        text = textwrap.wrap(description.description or "", WIDTH - len(indent))
        yield f"#   {key:{width}}  {text[0]}"
        yield from (indent + line for line in text[1:])
    yield f"{name}:"
    for entry, model in entries.items():
        if entry in NOTES:
            yield from _comment(NOTES[entry], 1)
        yield from _value(entry, model.model_dump(mode="json", exclude_unset=True), 1)


def _value(name: str, value: object, depth: int) -> Iterator[str]:
    """A key and its value: on one line where it fits, else a line per entry."""
    indent = "  " * depth
    line = f"{indent}{name}: {_flow(value)}"
    if len(line) <= WIDTH or not isinstance(value, Mapping):
        yield line
        return
    yield f"{indent}{name}:"
    yield from (f"{indent}  {key}: {_flow(each)}" for key, each in value.items())


def _flow(value: object) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10_000)
    return text.removesuffix("...\n").strip()


def _comment(text: str, depth: int) -> list[str]:
    indent = "  " * depth + "# "
    return [indent + line for line in textwrap.wrap(text, WIDTH - len(indent))]


def main() -> None:
    """Write presets/*.yaml."""
    for name in PRESETS:
        (FOLDER / f"{name}.yaml").write_text(repository_text(name), encoding="utf-8")


if __name__ == "__main__":
    main()
