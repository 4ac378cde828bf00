"""The code that made a version, in real clones."""

import os
import subprocess
from pathlib import Path

import pytest

from trailers12k.common.errors import UserError
from trailers12k.versions import code_state, snapshots
from trailers12k.versions.code_state import CodeState


def git(*arguments):
    subprocess.run(["git", *arguments], check=True, capture_output=True)


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A clone in whose folder no command is called."""
    folder = tmp_path / "clone"
    (folder / "trailers12k").mkdir(parents=True)
    (folder / "docs").mkdir()
    for name in ("trailers12k/a.py", "Snakefile", "lock.txt", "docs/a.md", "config.yaml"):
        (folder / name).write_text("1\n")
    (folder / ".gitignore").write_text("*.pyc\n")
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, os.devnull)
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "A Tester")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "tester@example.org")
    monkeypatch.setattr(code_state, "folder", lambda: folder)
    monkeypatch.chdir(tmp_path)
    return folder


def commit(clone):
    git("init", "--quiet", str(clone))
    git("-C", str(clone), "add", "--all")
    git("-C", str(clone), "commit", "--quiet", "--message", "a")


def test_what_was_edited_staged_added_or_removed_is_not_committed(clone):
    commit(clone)
    state = code_state.code_state()
    assert len(state.commit) == 40 and state.uncommitted == ()
    assert str(state).endswith(f", commit {state.commit}")
    for name in ("trailers12k/a.py", "trailers12k/new ü.py", "docs/a.md", "config.yaml", "x.pyc"):
        (clone / name).write_text("2\n")
    (clone / "trailers12k/b.pyc").write_text("2\n")
    (clone / "Snakefile").write_text("2\n")
    git("-C", str(clone), "add", "Snakefile")
    (clone / "lock.txt").unlink()
    state = code_state.code_state()
    assert state.uncommitted == (
        *("Snakefile", "lock.txt", "trailers12k/a.py", "trailers12k/new ü.py"),
    )
    assert str(state).endswith(
        "and not committed: Snakefile, lock.txt, trailers12k/a.py, trailers12k/new ü.py"
    )


def test_a_clone_in_a_folder_of_another_repository_has_its_commit(clone):
    commit(clone.parent)
    (clone / "Snakefile").write_text("2\n")
    state = code_state.code_state()
    assert state.commit and state.uncommitted == ("Snakefile",)


@pytest.mark.parametrize("around", [False, True])
def test_without_a_repository_of_the_code_the_version_is_all_there_is(clone, around):
    if around:  # it has other files only
        git("init", "--quiet", str(clone.parent))
        (clone.parent / ".gitignore").write_text("clone\n")
        git("-C", str(clone.parent), "add", ".gitignore")
        git("-C", str(clone.parent), "commit", "--quiet", "--message", "a")
    assert code_state.code_state() == CodeState()
    assert str(CodeState()).startswith("trailers12k ")


def test_the_refusal_names_a_file_and_how_many_more():
    names = tuple(f"trailers12k/{number}.py" for number in range(30))
    with pytest.raises(UserError, match=r"0\.py and 29 more of the clone .* --allow-dirty$"):
        snapshots._refuse_uncommitted(CodeState("a" * 40, names))
    assert str(CodeState("a", names)).endswith(f"{Path(names[19])} and 10 more")
