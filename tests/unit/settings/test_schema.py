import difflib
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from trailers12k.common.errors import UserError
from trailers12k.common.vocabulary import REQUESTS
from trailers12k.settings import load, presets
from trailers12k.settings.allowed import json_schema
from trailers12k.settings.models import Settings
from trailers12k.settings.schema import (
    PAGE,
    SCHEMA,
    page_text,
    schema_text,
    sections,
)

ROOT = Path(__file__).parents[3]
PRESETS = sorted(presets.PRESETS)
VALIDATOR = Draft202012Validator(json_schema())


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (SCHEMA, schema_text()),
        (PAGE, page_text(PAGE.read_text(encoding="utf-8"))),
        *((presets.FOLDER / f"{name}.yaml", presets.repository_text(name)) for name in PRESETS),
    ],
    ids=["schema", "reference", *PRESETS],
)
def test_generated_files_are_those_of_the_models(path, text):
    committed = path.read_text(encoding="utf-8")
    difference = difflib.unified_diff(
        committed.splitlines(), text.splitlines(), str(path.name), "generated", lineterm=""
    )
    assert committed == text, "\n".join(["run: make settings", *difference])


def test_the_reference_lists_every_key():
    parts = PAGE.read_text(encoding="utf-8").split("\n### ")[1:]
    tables = dict(part.split("\n", maxsplit=1) for part in parts)
    for path, model in sections():
        for name, field in model.model_fields.items():
            key = field.alias or name
            title = f"`{'.'.join(path)}`" if path else "Top level"
            is_request = not path and key in REQUESTS
            table = tables["Requests" if is_request else title]
            anchor = f"""<a id="{".".join((*path, key))}"></a>`{key}` |"""
            assert f"| {anchor}" in table or f"| [`{key}`](#" in table


def test_the_schema_is_a_valid_schema():
    Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("file", ["config.yaml", *(f"presets/{name}.yaml" for name in PRESETS)])
def test_the_schema_accepts_the_default_and_the_presets(file):
    config = yaml.safe_load((ROOT / file).read_text())
    assert [error.message for error in VALIDATOR.iter_errors(config)] == []


@pytest.mark.parametrize(
    "config",
    [
        {"typo": 1},
        {"training": {"typo": 1}},
        {"training": {"lr": 0}},
        {"seed": True},
        {"shards": 1001},
        {"splits": "mine"},
        {"splits": {"test": 0.25}},
        {"runs": {}},
        {"runs": {"..": {"image": "posters_i_swin"}}},
        {"backbones": {"a": {"model": "timm/x"}}},
        {"published": {"md5": {}}},
        {"published": {"md5": {"mtgc.csv": "x"}}},
        {"evaluation": {"also": ["whole", "whole"]}},
        {"downloads": {"pause": {"h": [1]}}},
        {"downloads": {"pause": {"h": [-1, 1]}}},
        {"sources": {"imdb": {"genres": ["drma"]}}},
        {"movies": []},
        {"device": "gpu"},
    ],
    ids=str,
)
def test_the_schema_refuses_what_loading_refuses(config):
    with pytest.raises(UserError):
        load(config)
    assert list(VALIDATOR.iter_errors(config))


@pytest.mark.parametrize("file", ["config.yaml", *(f"presets/{name}.yaml" for name in PRESETS)])
def test_editors_find_the_schema_through_the_first_line(file):
    first = (ROOT / file).read_text().splitlines()[0]
    schema = first.removeprefix("# yaml-language-server: $schema=")
    assert ((ROOT / file).parent / schema).resolve() == SCHEMA


def test_a_preset_lacks_only_sections_that_play_no_part_in_it():
    for name, preset in presets.PRESETS.items():
        keys = {*yaml.safe_load((ROOT / "presets" / f"{name}.yaml").read_text())}
        assert keys | {*preset.left_out, *REQUESTS} == {*Settings.model_fields}
        assert not keys & {*preset.left_out, *REQUESTS}
