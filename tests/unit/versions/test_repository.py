"""A new collection's repository of Git and DVC."""

import configparser
import os
import sys
from pathlib import Path

import pytest

from trailers12k.common.errors import UserError
from trailers12k.versions.repository import dvc, git, init_repository, run_command, set_up, top_of

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch, tmp_path):
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))


def remote_of(folder):
    config = configparser.ConfigParser()
    config.read(folder / ".dvc/config")
    return os.path.normpath(folder / ".dvc" / config["'remote \"folder\"'"]["url"])


def test_a_folder_becomes_a_repository_like_this_one(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    init_repository(folder)
    assert git("rev-parse", "--show-toplevel", folder=folder) == str(folder)
    assert (folder / ".dvcignore").read_text() == (ROOT / ".dvcignore").read_text()
    own, repository = (
        [line for line in (top / ".dvc/config").read_text().splitlines() if "url =" not in line]
        for top in (folder, ROOT)
    )
    assert own == repository
    assert remote_of(folder) == str(tmp_path / "mine-versions")
    (folder / "data").mkdir()
    (folder / "data/movies.csv").write_text("mid\n")
    assert not git("ls-files", "--others", "--exclude-standard", "data", folder=folder)
    assert "no data or pipelines" in dvc("status", folder=folder).lower()


def test_inside_a_repository_only_dvc_is_added_and_its_remote_lies_outside(tmp_path):
    top = tmp_path / "top"
    folder = top / "some" / "mine"
    folder.mkdir(parents=True)
    git("init", "--quiet", folder=top)
    init_repository(folder)
    assert not (folder / ".git").exists() and (folder / ".dvc/config").exists()
    assert git("status", "--porcelain", folder=top) == "?? some/"  # nothing is staged
    assert (folder / ".dvc/.gitignore").read_text() == (ROOT / ".dvc/.gitignore").read_text()
    assert "no data or pipelines" in dvc("status", folder=folder).lower()
    assert git("rev-parse", "--show-toplevel", folder=folder) == str(top)
    assert remote_of(folder) == str(tmp_path / "mine-versions")


def test_a_folder_in_the_clone_becomes_a_repository_of_its_own(tmp_path, monkeypatch):
    clone, folder = tmp_path / "clone", tmp_path / "clone/mine"
    folder.mkdir(parents=True)
    git("init", "--quiet", folder=clone)
    monkeypatch.setattr("trailers12k.__file__", str(clone / "trailers12k" / "__init__.py"))
    monkeypatch.chdir(folder)
    assert top_of() is None and top_of(clone) == clone
    assert (
        set_up()
        == f"Versions are set up here: Git and DVC, and {tmp_path}/mine-versions to share them."
    )
    assert top_of() == folder and set_up() == ""
    assert git("status", "--porcelain", folder=clone) == "?? mine/"  # nothing is staged there
    assert remote_of(folder) == str(tmp_path / "mine-versions")


def test_a_repository_of_another_owner_is_none_to_be_made(tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    git("init", "--quiet", folder=tmp_path)
    os.chown(tmp_path, 12345, 12345)
    os.chown(tmp_path / ".git", 12345, 12345)
    monkeypatch.chdir(tmp_path / "mine")
    with pytest.raises(UserError, match="^git: fatal: detected dubious ownership .*safe.directory"):
        set_up()
    assert not list(Path().iterdir())


def test_files_that_exist_stay(tmp_path):
    (tmp_path / ".gitignore").write_text("/data/\nmine\n")
    (tmp_path / ".dvcignore").write_text("mine\n")
    init_repository(tmp_path)
    lines = (tmp_path / ".gitignore").read_text().splitlines()
    assert lines[:2] == ["/data/", "mine"] and lines.count("/data/") == 1 and "/build/" in lines
    assert (tmp_path / ".dvcignore").read_text() == "mine\n"
    before = (tmp_path / ".dvc/config").read_text()
    (tmp_path / ".dvc/config").write_text(before + "# mine\n")
    init_repository(tmp_path)
    assert (tmp_path / ".dvc/config").read_text() == before + "# mine\n"


def test_a_message_of_a_command_has_no_second_prefix(tmp_path):
    (tmp_path / "say.py").write_text("raise SystemExit('error: data cannot be written')")
    with pytest.raises(UserError, match="^say.py: data cannot be written$"):
        run_command([sys.executable, "say.py"], folder=tmp_path)


def test_a_command_that_fails_or_is_missing_is_reported_in_one_line(tmp_path, monkeypatch):
    git("init", "--quiet", folder=tmp_path)
    with pytest.raises(UserError, match="^git: fatal: .*nowhere") as raised:
        git("show", "nowhere", folder=tmp_path)
    assert "\n" not in str(raised.value)
    with pytest.raises(UserError, match="^no such version$"):
        git("show", "nowhere", error="no such version", folder=tmp_path)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match="^git is not installed$"):
        git("status")
