"""What changed, read from a real repository of git and DVC."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from trailers12k.common.errors import UserError
from trailers12k.common.files import write_csv
from trailers12k.features import store as stores
from trailers12k.versions import comparison as changes

MID = "tt0000001"


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, (command, done.stderr)


def git(*arguments):
    run("git", "-c", "user.name=Test", "-c", "user.email=test@example.com", *arguments)


def dvc(*arguments):
    run(sys.executable, "-m", "dvc", *arguments)


def write(tag, title, values, figure):
    """A version of the dataset: the movies and a store are DVC's, the small files are git's."""
    write_csv("data/movies.csv", ["mid", "title", "year"], [{"mid": MID, "title": title}])
    store = Path("data/one.zarr")
    stores.create(store, {"determined_by": {"code": tag}})
    stores.write(store, MID, np.array([values], np.float32), {})
    row = {"mid": MID, "clips": 1, "fingerprint": tag}
    write_csv("data/one.csv", ["mid", "clips", "fingerprint"], [row])
    figures = [{"run": "Net", "uap": figure, "map": figure}]
    write_csv("results/summary.csv", ["run", "uap", "map"], figures)
    dvc("add", "--quiet", "data/movies.csv", "data/one.zarr")
    git("add", "--all")
    git("commit", "--quiet", "--message", tag)
    git("tag", tag)


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    folder = tmp_path_factory.mktemp("repository")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        # No settings of this machine or this user, and no state beside the repository.
        for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
            patch.setenv(name, os.devnull)
        patch.setenv("DVC_SITE_CACHE_DIR", str(folder.parent / "site"))
        git("init", "--quiet")
        dvc("init", "--quiet")
        dvc("config", "core.analytics", "false")
        write("first", "Old Name", [1, 0], 40)
        write("v1.10", "New Name", [3, 4], 50)
        yield folder


@pytest.fixture(autouse=True)
def inside(repository, monkeypatch):
    monkeypatch.chdir(repository)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(repository.parent / "site"))


def test_two_tags_are_read_from_git_and_from_dvc():
    text = changes.page(changes.Revision("first"), changes.Revision("v1.10"))
    assert text.startswith("What changed from first to v1.10\n  first: commit ")
    for line in (
        "    ~ tt0000001 Old Name -> New Name",
        "  one: 1 changed",
        "    code: first -> v1.10",
        "    cosine of features before and after: median 0.600000, least 0.600000 "
        "(1 of 1 changed movies compared)",
        "  Net       40.00      50.00      +10.00       40.00      50.00      +10.00",
        "  not compared: data/mtgc.csv is not in first; data/mtgc.csv is not in v1.10",
    ):
        assert line in text.split("\n"), text


def test_a_revision_is_compared_with_the_files_as_they_stand():
    text = changes.page(changes.Revision("HEAD"), changes.Folder())
    assert "  one: unchanged: 1 movies" in text and "\n  now: the files as they stand" in text


@pytest.mark.parametrize(
    ("asked", "told", "code"),
    [
        (["first"], "~ tt0000001 Old Name -> New Name", 0),
        (["first", "v9"], "error: diff: 'v9' is no version here", 2),
        ([""], "error: diff: name a version: trailers12k diff FROM [TO]", 2),
    ],
)
def test_the_command_prints_the_page(asked, told, code):
    command = Path(sys.executable).with_name("trailers12k")
    done = subprocess.run([command, "diff", *asked], capture_output=True, text=True)
    assert told in done.stdout + done.stderr and "Traceback" not in done.stderr
    assert done.returncode == code


def test_what_is_not_in_the_cache_is_told(tmp_path, monkeypatch):
    # In a copy, since DVC's own index is told apart by the folder.
    copy = tmp_path / "copy"
    shutil.copytree(Path.cwd(), copy)
    monkeypatch.chdir(copy)
    shutil.rmtree(".dvc/cache")
    text = changes.page(changes.Revision("first"), changes.Revision("v1.10"))
    assert "data/movies.csv of first is not in DVC's cache, nor in a remote" in text
    assert "data/one.zarr/.zattrs of first is not in DVC's cache, nor in a remote" in text
    assert "+10.00" in text


def test_no_such_version_and_no_repository_are_told_in_one_line(tmp_path, monkeypatch):
    with pytest.raises(UserError, match="^diff: 'v9' is no version here .*v9.*git tag") as error:
        changes.Revision("v9")
    assert "\n" not in str(error.value)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="this folder is no project of git and DVC"):
        changes.Revision("first")
