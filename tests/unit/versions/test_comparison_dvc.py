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
from trailers12k.features import store as zarr_store
from trailers12k.versions.comparison import describe_changes
from trailers12k.versions.version_files import Folder, Missing, Revision

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
    zarr_store.create(store, {"determined_by": {"code": tag}})
    zarr_store.write(store, MID, np.array([values], np.float32), {})
    row = {"mid": MID, "clips": 1, "fingerprint": tag}
    write_csv("data/one.csv", ["mid", "clips", "fingerprint"], [row])
    figures = [{"run": "Net", "uap": figure, "map": figure}]
    write_csv("results/summary.csv", ["run", "uap", "map"], figures)
    dvc("add", "--quiet", "data/movies.csv", "data/one.zarr")
    git("add", "--all")
    git("commit", "--quiet", "--message", tag)
    git("tag", tag)


@pytest.fixture(scope="module", params=["root", "subfolder"])
def repository(request, tmp_path_factory):
    """The folder of a collection with two versions: a repository, or a subfolder of one."""
    top = tmp_path_factory.mktemp("repository")
    folder = top if request.param == "root" else top / "some" / "collection"
    folder.mkdir(parents=True, exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(top)
        # No settings of this machine or this user, and no state beside the repository.
        for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
            patch.setenv(name, os.devnull)
        patch.setenv("DVC_SITE_CACHE_DIR", str(top.parent / "site"))
        git("init", "--quiet")
        patch.chdir(folder)
        dvc("init", "--quiet", *(["--subdir"] if folder != top else []))
        dvc("config", "core.analytics", "false")
        write("first", "Old Name", [1, 0], 40)
        write("v1.10", "New Name", [3, 4], 50)
        yield folder


@pytest.fixture(autouse=True)
def inside(repository, monkeypatch, tmp_path):
    monkeypatch.chdir(repository)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))


def test_two_tags_are_read_from_git_and_from_dvc():
    text = describe_changes(Revision("first"), Revision("v1.10"))
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


def test_a_revision_is_compared_with_the_files_in_the_folder():
    text = describe_changes(Revision("HEAD"), Folder())
    assert "  one: unchanged: 1 movies" in text and "\n  now: the files in this folder" in text


@pytest.mark.parametrize(
    ("arguments", "message", "code"),
    [
        (["first"], "~ tt0000001 Old Name -> New Name", 0),
        (["first", "v9"], "error: diff: 'v9' is no version of this collection", 2),
        ([""], "error: diff: name a version: trailers12k diff FROM [TO]", 2),
    ],
)
def test_the_command_prints_the_page(arguments, message, code):
    command = Path(sys.executable).with_name("trailers12k")
    done = subprocess.run([command, "diff", *arguments], capture_output=True, text=True)
    assert message in done.stdout + done.stderr and "Traceback" not in done.stderr
    assert done.returncode == code


def test_files_that_the_cache_lacks_are_reported(repository, tmp_path, monkeypatch):
    # In a copy, since DVC keeps an index for each folder.
    top = repository if (repository / ".git").exists() else repository.parents[1]
    shutil.copytree(top, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy" / repository.relative_to(top))
    shutil.rmtree(".dvc/cache")
    text = describe_changes(Revision("first"), Revision("v1.10"))
    assert "data/movies.csv of first is neither in DVC's cache nor in a remote" in text
    assert "data/one.zarr/.zattrs of first is neither in DVC's cache nor in a remote" in text
    assert "+10.00" in text


def test_an_unknown_version_and_a_folder_without_dvc_are_refused_in_one_line(tmp_path, monkeypatch):
    with pytest.raises(
        UserError, match="^diff: 'v9' is no version of this collection .*v9.*git tag"
    ) as error:
        Revision("v9")
    assert "\n" not in str(error.value)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="there is no .dvc in this folder"):
        Revision("first")


def test_a_large_file_and_a_pipe_are_missing_and_never_read(tmp_path):
    large = Path("results/large.csv")
    with large.open("wb") as file:
        file.truncate((1 << 26) + 1)
    git("add", "--force", str(large))
    git("commit", "--quiet", "--message", "large")
    git("tag", "large")
    git("rm", "--quiet", "--cached", str(large))
    git("reset", "--quiet", "--soft", "HEAD~1")
    with pytest.raises(Missing, match=r"^results/large.csv of large has more than 67.11 MB$"):
        Revision("large").read(str(large))
    with pytest.raises(Missing, match=r"^now: results/large.csv has 67.11 MB; allowed: "):
        Folder().read(str(large))
    large.unlink()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Missing, match="pipe is a device, a pipe or a socket"):
        Folder(tmp_path).read("pipe")
