"""`trailers12k init`."""

import re
import subprocess
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


def git(folder: Path, *arguments: str) -> str:
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture
def identity(monkeypatch):
    """A name for commits, and no configuration of this machine."""
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ada@example.org")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")


def test_the_example_is_a_valid_collection(tmp_path, monkeypatch):
    init(tmp_path / "mine", git=False)
    monkeypatch.chdir(tmp_path / "mine")
    settings = load(read_file("config.yaml"))
    assert settings.collection == "own"
    assert settings.movies == ("movies.csv", "search")
    movies, _ = table.read({"path": "movies.csv"}, {})
    assert len(movies) >= 10  # the least that can be split
    assert {genre for movie in movies for genre in movie.genres} == {*GENRES}
    assert [movie.mid for movie in movies] == sorted(movie.mid for movie in movies)


def test_editors_find_the_schema(tmp_path):
    init(tmp_path / "mine", git=False)
    first = (tmp_path / "mine" / "config.yaml").read_text().splitlines()[0]
    assert first.startswith("# yaml-language-server: $schema=")
    assert Path(first.split("=")[1]).is_file()


def test_the_folder_becomes_a_repository_of_git_and_dvc(tmp_path, identity):
    folder = tmp_path / "mine"
    init(folder, git=True)
    assert git(folder, "status", "--porcelain") == ""
    files = {".gitignore", ".dvcignore", ".dvc/config", ".dvc/.gitignore"}
    assert {*git(folder, "ls-files").split()} == {*files, "config.yaml", "movies.csv"}
    assert "/videos/" in (folder / ".gitignore").read_text().splitlines()
    assert "url = ../../mine-versions" in (folder / ".dvc" / "config").read_text()


def test_without_an_identity_the_files_are_staged(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("EMAIL", "")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "user.useConfigOnly")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "true")
    init(tmp_path / "mine", git=True)
    assert "A  config.yaml" in git(tmp_path / "mine", "status", "--porcelain")
    assert "Nothing is committed yet" in capsys.readouterr().out


def test_inside_another_repository_only_dvc_is_added(tmp_path, identity, capsys):
    git(tmp_path, "init", "--quiet")
    init(tmp_path / "mine", git=True)
    assert not (tmp_path / "mine" / ".git").exists()
    assert (tmp_path / "mine" / ".dvc" / "config").exists()
    assert git(tmp_path, "rev-list", "--all") == ""
    assert "is part of the Git repository" in capsys.readouterr().out


def test_a_collection_inside_the_clone_is_a_repository_of_its_own(tmp_path, identity, monkeypatch):
    clone = tmp_path / "clone"
    clone.mkdir()
    git(clone, "init", "--quiet")
    monkeypatch.setattr("trailers12k.__file__", str(clone / "trailers12k" / "__init__.py"))
    init(clone / "mine", git=True)
    assert "config.yaml" in git(clone / "mine", "ls-files").split()
    assert git(clone / "mine", "status", "--porcelain") == ""
    assert git(clone, "ls-files") == ""  # nothing is staged in the clone
    assert git(clone, "status", "--porcelain") == "?? mine/\n"
    assert "url = ../../../mine-versions" in (clone / "mine" / ".dvc" / "config").read_text()


def test_a_repository_without_dvc_gets_it_and_keeps_its_files(tmp_path, identity):
    git(tmp_path, "init", "--quiet")
    (tmp_path / ".gitignore").write_text("mine\n")
    init(tmp_path, git=True)
    assert (tmp_path / ".dvc" / "config").exists()
    assert (tmp_path / ".gitignore").read_text().startswith("mine\n/data/\n")


@pytest.mark.parametrize("preset", Preset)
def test_a_preset_is_a_whole_configuration_without_a_movie_table(tmp_path, preset, capsys):
    folder = tmp_path / "mine"
    init(folder, preset, git=False)
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
    init(tmp_path, Preset.TRAILERS12K, git=False)
    assert (tmp_path / "movies.csv").read_text() == "mine"


def test_the_next_commands_exist(tmp_path, capsys):
    init(tmp_path / "mine", git=False)
    commands = re.findall(r"^  trailers12k (\w+)", capsys.readouterr().out, re.M)
    assert commands[-1] == "run"
    assert {*commands} <= {*typer.main.get_command(create_app()).commands}


@pytest.mark.parametrize("name", ["config.yaml", "movies.csv"])
def test_existing_files_are_never_replaced(tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(UserError, match=f"{name} exists already"):
        init(tmp_path, git=False)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"


def test_the_next_command_quotes_the_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    init(Path("my films"), git=False)
    assert "\n  cd 'my films'\n" in capsys.readouterr().out
