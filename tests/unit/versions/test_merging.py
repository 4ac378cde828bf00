"""Restoring and merging branches of versions, with real merges of Git."""

import subprocess
import time
from pathlib import Path

import pytest

from trailers12k.common.errors import UserError
from trailers12k.versions import dvc_cache, restoration
from trailers12k.versions.history import History
from trailers12k.versions.merging import is_merging, refuse_other_conflicts
from trailers12k.versions.repository import git
from trailers12k.versions.restoration import restore

from .conftest import snapshot

TABLE = [f"tt{number:07d},drama" for number in range(20)]


@pytest.fixture(autouse=True)
def no_workflow(monkeypatch):
    """These products are of no workflow that could be planned."""
    monkeypatch.setattr(restoration, "planned_jobs", lambda files: "")


@pytest.fixture
def tabled(small_repository):
    """A collection with a table of the user, which the versions t0 and later keep."""
    write_table(TABLE)
    snapshot("t0", "zero", deps=["movies.csv"])
    return small_repository


def write_table(rows):
    Path("movies.csv").write_text("\n".join(["mid,genres", *rows]) + "\n")


def commit(branch, change=None, on="t0"):
    """A branch with another row of the table."""
    git("switch", "--quiet", "--create", branch, on)
    write_table([row + f"|{branch}" if place == change else row for place, row in enumerate(TABLE)])
    git("commit", "--quiet", "--all", "--allow-empty", "--message", branch)


def test_a_merge_that_git_makes_alone_is_in_a_version(tabled):
    """Its table differs from those of both parents, and no other commit has it."""
    commit("one", 1)
    snapshot("v-one", "of one", deps=["movies.csv"])
    commit("other", 18)
    git("merge", "--quiet", "--no-edit", "one")
    merged = Path("movies.csv").read_text()
    assert "|one" in merged and "|other" in merged
    git("branch", "--delete", "--force", "one")  # reachable by the merge only
    git("tag", "--delete", "v-one")
    for version, text in {"t0": "zero", "HEAD": "of one"}.items():
        restore(version)
        assert Path("data/mtgc.csv").read_text() == text
    assert Path("movies.csv").read_text() == merged
    assert git("status", "--porcelain") == ""


def test_conflicts_are_named_before_anything_is_done(tabled):
    commit("one", 1)
    snapshot("v-one", "of one", deps=["movies.csv"])
    commit("other", 1)
    snapshot("v-other", "of other", deps=["movies.csv"])
    with pytest.raises(UserError, match="Automatic merge failed"):
        git("merge", "--no-edit", "one")
    assert is_merging()
    for version in ("", "v1"):
        with pytest.raises(UserError, match="^restore: a merge left conflicts in dvc.lock, m"):
            restore(version, force=True)
    with pytest.raises(UserError, match="^snapshot: a merge left conflicts in movies.csv; "):
        refuse_other_conflicts()
    git("add", "movies.csv")
    refuse_other_conflicts()
    git("merge", "--abort")
    restore("v-one")
    assert Path("data/mtgc.csv").read_text() == "of one"


@pytest.mark.parametrize("name", ["dvc.yaml", "dvc.lock"])
def test_conflicts_that_were_committed_are_named_too(small_repository, name):
    before = Path(name).read_text()
    Path(name).write_text(f"<<<<<<< HEAD\n{before}=======\n>>>>>>> one\n")
    git("commit", "--quiet", "--all", "--message", "by mistake")
    for version, what in {"": name, "HEAD": name}.items():
        with pytest.raises(UserError, match=f"^restore: a merge left conflicts in {what}"):
            restore(version)
    git("restore", "--source=v2", name)
    with pytest.raises(UserError, match=f"^restore: a merge left conflicts in {name} of HEAD; "):
        restore("HEAD")


def test_a_restore_stages_nothing(tabled):
    Path("notes").write_text("mine")
    git("add", "--force", "notes")
    restore("v1")
    assert git("diff", "--cached", "--name-only") == "notes"
    git("commit", "--quiet", "--message", "notes")
    assert git("show", "--format=", "--name-only") == "notes"
    git("switch", "--quiet", "--merge", "--detach", "v1")
    assert git("status", "--porcelain", "--untracked-files=no") == ""


def test_thousands_of_commits_are_searched_in_seconds(small_repository):
    """Each has another dvc.lock and another table."""
    lock = Path("dvc.lock").read_text()
    branch = git("symbolic-ref", "HEAD")
    stream = []
    for number in range(3000):
        stream.append(f"commit refs/heads/long\ncommitter a <a@b> {number} +0000\ndata 0\n")
        stream += [] if number else [f"from {branch}\n"]
        for name in ("dvc.lock", "movies.csv"):
            text = f"{lock}# {number} of {name}\n"
            stream.append(f"M 100644 inline {name}\ndata {len(text)}\n{text}\n")
    subprocess.run(["git", "fast-import", "--quiet"], input="".join(stream), text=True, check=True)
    began = time.monotonic()
    history = History()
    saved = dvc_cache.hashes().items()
    assert history.unsaved_products([*saved, ("data/mtgc.csv", "0" * 32)]) == [
        ("data/mtgc.csv", "0" * 32)
    ]
    Path("movies.csv").write_text(f"{lock}# 1500 of movies.csv\n")
    Path("other.csv").write_text("mine")
    assert history.unsaved_files(["movies.csv", "other.csv"]) == ["other.csv"]
    assert time.monotonic() - began < 20
