"""What is refused as a snapshot."""

import subprocess
from pathlib import Path

import pytest

from trailers12k.common.errors import UserError
from trailers12k.settings import load
from trailers12k.versions import snapshots
from trailers12k.versions.restoration import restore
from trailers12k.versions.snapshots import snapshot

ROOT = Path(__file__).parents[3]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the default configuration, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text((ROOT / "config.yaml").read_text())
    return tmp_path


def test_an_unfinished_run_is_no_snapshot(folder):
    with pytest.raises(UserError, match="data/movies.csv is missing; finish the run first"):
        snapshot()
    assert [path.name for path in folder.iterdir()] == ["config.yaml"]


@pytest.mark.parametrize("action", [snapshot, restore])
def test_nothing_is_done_beside_a_run(folder, action):
    lock = folder / ".snakemake" / "locks" / "0.input.lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    with pytest.raises(UserError, match="Snakemake is running in this folder"):
        action()


def test_decisions_that_were_deleted_here_are_removed_from_git_too(folder):
    settings = load({})
    subprocess.run(["git", "init", "--quiet"], check=True)
    Path("curation.csv").write_text("mid,decision\n")
    assert snapshots._removed_decisions(settings) == []
    subprocess.run(["git", "add", "curation.csv"], check=True)
    Path("curation.csv").unlink()
    assert snapshots._removed_decisions(settings) == ["curation.csv"]
    subprocess.run(["git", "add", "--force", "--", "curation.csv"], check=True)
    assert snapshots._removed_decisions(settings) == []
