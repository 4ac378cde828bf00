"""`trailers12k init`."""

import re
from pathlib import Path

import pytest
import typer

from trailers12k.cli.app import create_app
from trailers12k.cli.init import Preset, init
from trailers12k.common.errors import UserError
from trailers12k.common.vocabulary import GENRES
from trailers12k.movies.sources import table
from trailers12k.settings import load
from trailers12k.settings.files import read_file
from trailers12k.settings.presets import PRESETS

ROOT = Path(__file__).parents[3]


def test_the_example_is_a_valid_collection(tmp_path, monkeypatch):
    init(tmp_path / "mine")
    monkeypatch.chdir(tmp_path / "mine")
    settings = load(read_file("config.yaml"))
    assert settings.collection == "own"
    assert settings.movies == ("movies.csv", "search")
    movies, _ = table.read({"path": "movies.csv"}, {})
    assert len(movies) >= 10  # the least that can be split
    assert {genre for movie in movies for genre in movie.genres} == {*GENRES}
    assert [movie.mid for movie in movies] == sorted(movie.mid for movie in movies)


def test_editors_find_the_schema(tmp_path):
    init(tmp_path / "mine")
    first = (tmp_path / "mine" / "config.yaml").read_text().splitlines()[0]
    assert first.startswith("# yaml-language-server: $schema=")
    assert Path(first.split("=")[1]).is_file()


def test_no_repository_is_made(tmp_path):
    init(tmp_path / "mine")
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == [
        "config.yaml",
        "movies.csv",
    ]


@pytest.mark.parametrize("preset", Preset)
def test_a_preset_is_a_whole_configuration_without_a_movie_table(tmp_path, preset, capsys):
    folder = tmp_path / "mine"
    init(folder, preset)
    assert [path.name for path in folder.iterdir()] == ["config.yaml"]
    written = (folder / "config.yaml").read_text().splitlines()
    kept = (ROOT / "presets" / f"{preset}.yaml").read_text().splitlines()
    assert Path(written[0].split("=")[1]).is_file()
    assert written[1:] == kept[1:]
    assert "Edit config.yaml there" in capsys.readouterr().out


def test_every_preset_can_be_named():
    assert {*Preset} == {*PRESETS}


def test_a_preset_leaves_a_movie_table_alone(tmp_path):
    (tmp_path / "movies.csv").write_text("mine")
    init(tmp_path, Preset.TRAILERS12K)
    assert (tmp_path / "movies.csv").read_text() == "mine"


def test_the_next_commands_exist(tmp_path, capsys):
    init(tmp_path / "mine")
    commands = re.findall(r"^  trailers12k (\w+)", capsys.readouterr().out, re.M)
    assert commands[-1] == "run"
    assert {*commands} <= {*typer.main.get_command(create_app()).commands}


@pytest.mark.parametrize("name", ["config.yaml", "movies.csv"])
def test_existing_files_are_never_replaced(tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(UserError, match=f"{name} exists already"):
        init(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"


def test_the_next_command_quotes_the_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    init(Path("my films"))
    assert "\n  cd 'my films'\n" in capsys.readouterr().out
