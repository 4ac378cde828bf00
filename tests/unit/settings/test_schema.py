import copy
import difflib
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator
from snakemake.utils import update_config

from trailers12k.common.errors import UserError
from trailers12k.common.vocabulary import REQUESTS
from trailers12k.settings import load
from trailers12k.settings.allowed import json_schema
from trailers12k.settings.schema import (
    PAGE,
    SCHEMA,
    page_text,
    schema_text,
    sections,
)

ROOT = Path(__file__).parents[3]
DEFAULT = yaml.safe_load((ROOT / "config.yaml").read_text())
PRESETS = sorted((ROOT / "presets").glob("*.yaml"))
VALIDATOR = Draft202012Validator(json_schema())


@pytest.mark.parametrize(
    ("path", "text"),
    [(SCHEMA, schema_text()), (PAGE, page_text(PAGE.read_text(encoding="utf-8")))],
    ids=["schema", "reference"],
)
def test_generated_files_are_those_of_the_models(path, text):
    committed = path.read_text(encoding="utf-8")
    difference = difflib.unified_diff(
        committed.splitlines(), text.splitlines(), str(path.name), "generated", lineterm=""
    )
    assert committed == text, "\n".join(["run: python -m trailers12k.settings.schema", *difference])


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


@pytest.mark.parametrize("preset", [None, *PRESETS], ids=lambda p: p.stem if p else "default")
def test_the_schema_accepts_the_default_and_the_presets(preset):
    config = copy.deepcopy(DEFAULT)
    if preset:
        update_config(config, yaml.safe_load(preset.read_text()))
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


def test_the_default_configuration_names_the_schema_in_its_first_line():
    first = (ROOT / "config.yaml").read_text().splitlines()[0]
    assert first == f"# yaml-language-server: $schema={SCHEMA.relative_to(ROOT).as_posix()}"
