"""What killed snapshots and restores leave, in real repositories, and how the next call goes on."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from trailers12k.common.errors import UserError
from trailers12k.versions import git_locks, interruptions, restoration
from trailers12k.versions.git_files import modes_of, write_files
from trailers12k.versions.interruptions import whole_lock
from trailers12k.versions.repository import dvc, git
from trailers12k.versions.restoration import restore
from trailers12k.workflow.folder import check_restored, unfinished_restore

from .conftest import PRODUCTS, snapshot


@pytest.fixture(autouse=True)
def no_workflow(monkeypatch):
    """These products are of no workflow that could be planned."""
    monkeypatch.setattr(restoration, "planned_jobs", lambda files: "")


class Cut(Exception):
    """Ends a restore as a kill does."""


def cut(monkeypatch, step, version):
    """Begin a restore that ends before a step."""

    def end(*arguments, **named):
        raise Cut

    with monkeypatch.context() as patch:
        patch.setattr(restoration, step, end)
        with pytest.raises(Cut):
            restore(version)


STEPS = ("write_files", "_fetch_products", "_remove_products", "restore_intermediates")


@pytest.mark.parametrize("step", STEPS)
def test_a_restore_that_was_cut_is_finished_by_the_next_and_work_since_is_kept(
    small_repository, monkeypatch, step
):
    snapshot("v3", "three", [*PRODUCTS, "results/more.csv"])
    cut(monkeypatch, step, "v1")
    with pytest.raises(UserError, match="a restore has not ended.*: trailers12k restore v1$"):
        check_restored()
    # What a checkout leaves: a file of one of the versions, an empty file, one half written.
    Path("results/runs/run.json").write_text("one")
    Path("data/mtgc.csv").write_text("")
    for name in ("data/.abcdefghijklmnop-_1234.tmp", "results/runs/.abcdefghijklmnop-_1234.tmp"):
        Path(name).write_text("o")
    notes = Path("results/runs/notes.txt")
    notes.write_text("mine")
    with pytest.raises(UserError, match=f"^restore: '{notes}' was changed after .*v1 --force$"):
        restore()
    assert notes.read_text() == "mine"
    notes.unlink()
    goal, text = ("", "one") if step == "_fetch_products" else ("v2", "two")
    restore(goal)
    files = [path for top in ("data", "results") for path in Path(top).rglob("*")]
    texts = {path.read_text() for path in files if path.is_file() and path.name != ".gitignore"}
    assert texts == {text}
    assert not Path("results/more.csv").exists() and not [*Path("data").glob(".*.tmp")]
    assert unfinished_restore() is None and "up to date" in dvc("status")


def test_a_dvc_lock_or_table_of_locks_that_a_kill_has_cut_stops_nothing(small_repository):
    whole = Path("dvc.lock").read_text()
    pipeline = Path("dvc.yaml").read_text()
    ends = range(len(whole))
    left = [end for end in ends if not interruptions._is_cut(whole[:end], pipeline)]
    # DVC writes these, too.
    assert all(interruptions._is_of(whole[:end], pipeline) for end in left) and len(left) < 9
    for text in ("", whole[: len(whole) // 2], "schema: '2.0'\n", "{\n"):
        Path("dvc.lock").write_text(text)
        assert whole_lock(Path("dvc.yaml").read_text()) == whole
        assert Path("dvc.lock").read_text() == whole
    Path("dvc.lock").write_text("")
    Path(".dvc/tmp/rwlock").write_text('{"read')
    restore("v1")
    assert Path("data/mtgc.csv").read_text() == "one"
    # With another dvc.yaml than the commit's there is none.
    Path("dvc.lock").write_text("")
    assert whole_lock("stages: {}\n") == "" and not Path("dvc.lock").exists()


def test_links_and_modes_of_git_are_restored_and_nothing_is_written_over_a_link(
    small_repository, tmp_path
):
    Path("tables").mkdir()
    for name in ("run.csv", "to.csv"):
        Path("tables", name).write_text("mid\n")
    Path("tables/run.csv").chmod(0o755)
    Path("tables/link.csv").symlink_to("to.csv")
    git("add", "tables")
    git("commit", "--quiet", "--message", "tables")
    names = [f"tables/{name}.csv" for name in ("run", "to", "link")]
    modes = modes_of("HEAD", names)
    shutil.rmtree("tables")
    write_files("HEAD", modes)
    assert git("status", "--porcelain") == "" and os.readlink("tables/link.csv") == "to.csv"
    shutil.move("tables", tmp_path / "elsewhere")
    Path("tables").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="symbolic link that leaves its folder"):
        modes_of("HEAD", names)
    with pytest.raises(UserError, match="'tables/none.csv' is no file of HEAD"):
        modes_of("HEAD", ["tables/none.csv"])


@pytest.mark.parametrize("name", ["index.lock", "refs/tags/v9.lock"])
def test_a_lock_of_git_is_removed_where_a_killed_snapshot_left_it(small_repository, name):
    lock = Path(".git", name)
    with git_locks.recorded():
        record = json.loads(git_locks._record().read_text())
    git_locks.check()
    lock.touch()
    with pytest.raises(UserError, match=f"{name} is there: Git is at work .*remove this file$"):
        git_locks.check()
    git_locks._record().write_text(json.dumps(record | {"start": 1}))  # of a gone process
    with subprocess.Popen(["git", "cat-file", "--batch"], stdin=subprocess.PIPE) as working:
        with pytest.raises(UserError, match="is there: Git is at work"):
            git_locks.check()
        working.stdin.close()
    git_locks.check()
    assert not lock.exists()
