"""Merging of configuration files."""

import re
from pathlib import Path

import pytest
from snakemake.utils import update_config

from trailers12k.common.errors import UserError
from trailers12k.settings.files import override, read_config, read_file


@pytest.mark.parametrize(
    ("config", "other"),
    [
        ({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"c": 4}, "e": [1]}),
        ({"a": {"b": 1}}, {"a": None}),
        ({"a": None}, {"a": {"b": {"c": 1}}}),
        ({"a": 1}, {"a": {"b": 1}}),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [3]}}),
        ({}, {}),
    ],
)
def test_files_are_merged_as_snakemake_does_it(config, other):
    before = repr(config)
    merged = override(config, other)
    assert repr(config) == before
    update_config(config, other)
    assert merged == config


def test_later_files_override_config_yaml(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text("seed: 1\nclips: {fps: 24, fpc: 24}\n")
    (tmp_path / "one.yaml").write_text("clips: {fps: 12}\n")
    (tmp_path / "two.yaml").write_text("# nothing\n")
    assert read_config(["one.yaml", "two.yaml"]) == {"seed": 1, "clips": {"fps": 12, "fpc": 24}}


def test_files_of_another_version_are_read_through_a_function(tmp_path):
    texts = {"config.yaml": "seed: 1", "old.yaml": "seed: 2"}
    assert read_config(["old.yaml"], lambda file: texts[str(file)]) == {"seed": 2}


@pytest.mark.parametrize(
    ("text", "message"),
    [(None, "cannot be read"), ("a: [", "cannot be read"), ("- a\n- b\n", "must hold keys")],
)
def test_a_file_that_holds_no_mapping_is_refused_in_one_line(tmp_path, text, message):
    path = tmp_path / "config.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UserError, match=message) as error:
        read_file(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


def test_an_alias_within_itself_is_refused_in_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text("backbones: &x\n  a: *x\n")
    with pytest.raises(UserError, match=r"config.yaml: an alias .* itself$"):
        read_config()


def test_a_preset_names_pages_that_exist():
    root = Path(__file__).parents[3]
    texts = [path.read_text() for path in (root / "presets").glob("*.yaml")]
    named = {name for text in texts for name in re.findall(r"docs/\S+\.md", text)}
    assert named and all((root / name).is_file() for name in named)
