"""Merging of configuration files."""

import re
from pathlib import Path

import pytest
from snakemake.utils import update_config

from trailers12k.common.errors import UserError
from trailers12k.settings.files import check_keys, override, read_config, read_file


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
    (tmp_path / "two.yaml").write_text("{}\n")
    assert read_config(["one.yaml", "two.yaml"]) == {"seed": 1, "clips": {"fps": 12, "fpc": 24}}


def test_files_of_another_version_are_read_through_a_function(tmp_path):
    texts = {"config.yaml": "seed: 1", "old.yaml": "seed: 2"}
    assert read_config(["old.yaml"], lambda file: texts[str(file)]) == {"seed": 2}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "does not exist"),
        ("a: [", "cannot be read"),
        ("- a\n- b\n", "must hold keys"),
        ("", "is empty or has only comments: it must hold keys"),
        ("# Which movies\n#\n# and", "is empty or has only comments: it must hold keys"),
    ],
)
def test_a_file_that_holds_no_mapping_is_refused_in_one_line(tmp_path, text, message):
    path = tmp_path / "config.yaml"
    if text is not None:
        path.write_text(text)
    # Plain Snakemake calls the second one, and itself ends with two lines that name no file.
    for read in (read_file, *([lambda file: check_keys([file])] if path.exists() else [])):
        with pytest.raises(UserError, match=message) as error:
            read(path)
        assert str(path) in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("movies: sample\n".encode("utf-16"), ": it is text in UTF-16, not a configuration; "),
        (b"seed: 1\n\n# Fran\xe7ois\n", ", line 3: byte 0xE7 is not UTF-8: the file seems to be "),
        (b"seed: 1\nclips:\0\0\0", ", line 2: NUL bytes: the file is damaged; "),
        (b"PK\x03\x04seed: 1", ": it is a workbook or a zip archive, not a configuration; "),
    ],
)
def test_a_file_in_another_encoding_is_named_with_the_line(tmp_path, data, message):
    path = tmp_path / "config.yaml"
    path.write_bytes(data)
    for read in (read_file, lambda file: check_keys([file])):
        with pytest.raises(UserError, match=f"^{re.escape(f'{path}{message}')}") as error:
            read(path)
        assert str(error.value).endswith("; allowed: YAML in UTF-8")
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed: 1\nclips: {fps: 24}\nseed: 2\n", "line 3: seed is in line 1 already"),
        ("training:\n  lr: 1\n  batch: 4\n  lr: 2\n", "line 4: training.lr is in line 2 already"),
        ("runs: {a: {image: x, image: y}}", "line 1: runs.a.image is in line 1 already"),
        ("seed: 1\n'seed': 2\n", "line 2: seed is in line 1 already"),
        ("a: [{b: 1}, {b: 2,\n b: 3}]", "line 2: a.b is in line 1 already"),
        ('{\n"seed": 1,\n"seed": 2\n}', "line 3: seed is in line 2 already"),
    ],
)
def test_a_key_that_is_there_twice_is_refused_with_both_lines(tmp_path, text, message):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    for read in (read_file, lambda file: check_keys([file])):
        with pytest.raises(UserError, match=f"^{re.escape(f'{path}, {message}')}; ") as error:
            read(path)
        assert "\n" not in str(error.value)


def test_equal_keys_of_different_sections_are_read(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("a: &a {b: 1, c: 1}\nb: {<<: *a, c: 2}\nc: [*a, {<<: *a}]\n1: x\n'1': y\n")
    check_keys([path])
    content = read_file(path)
    assert content["b"] == {"b": 1, "c": 2} and content[1] == "x" and content["1"] == "y"


def test_json_that_yaml_cannot_read_and_missing_files_are_left_to_snakemake(tmp_path):
    (tmp_path / "x.yaml").write_text('{"a": "\\ud83d\\ude00"}')
    with pytest.raises(UserError, match="cannot be read"):
        read_file(tmp_path / "x.yaml")
    check_keys([tmp_path / "x.yaml", tmp_path / "none.yaml"])


@pytest.mark.parametrize("text", ["a:\n\tb: 1\n", "a: 1\n  \tb: 1\n", "a:\n  b: 1\n\tc: 2\n"])
def test_a_tab_is_named_with_its_line(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    line = next(number for number, each in enumerate(text.splitlines(), 1) if "\t" in each)
    with pytest.raises(UserError, match=f"config.yaml, line {line}: a tab; indent with spaces$"):
        read_file(path)


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
