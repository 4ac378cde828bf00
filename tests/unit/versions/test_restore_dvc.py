"""Going back, in a real repository of git and DVC that holds one product."""

import os
import shutil
from pathlib import Path

import pytest

from trailers12k.common.errors import UserError
from trailers12k.versions import run_state as state
from trailers12k.versions import snapshots as versions

from .test_comparison_dvc import dvc, git

STAGES = """stages:
  evaluation:
    cmd: snakemake evaluate
    deps: []
    outs:
    - data/mtgc.csv: {persist: true}
  state:
    cmd: none
    deps: []
    outs:
    - build/state.tar.gz: {persist: true}
"""


def snapshot(tag, text):
    Path("data/mtgc.csv").write_text(text)
    state.write()
    dvc("commit", "--quiet", "--force")
    git("add", "--all")
    git("commit", "--quiet", "--message", tag)
    git("tag", tag)


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """Two versions, v1 and v2, of which v2 is there."""
    folder = tmp_path / "repository"
    (folder / "data").mkdir(parents=True)
    (folder / "build").mkdir()
    (folder / state.MEMORY).mkdir(parents=True)
    monkeypatch.chdir(folder)
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    git("init", "--quiet")
    dvc("init", "--quiet")
    dvc("config", "core.analytics", "false")
    Path(".gitignore").write_text("/data/\n/build/\n/.snakemake/\n")
    Path("dvc.yaml").write_text(STAGES)
    Path("config.yaml").write_text("{}\n")
    snapshot("v1", "one")
    snapshot("v2", "two")
    return folder


@pytest.fixture(autouse=True)
def no_workflow(monkeypatch):
    """This repository has no Snakefile to plan with, and no settings."""
    monkeypatch.setattr(versions, "_planned", lambda files: "")
    monkeypatch.setattr(versions, "_later_decisions", lambda version, text: [])


def test_going_back_beyond_a_commit_that_deleted_dvc_lock(repository):
    git("rm", "--quiet", "dvc.lock")
    git("commit", "--quiet", "--message", "without versions")
    snapshot("v3", "three")
    versions.restore("v1")
    assert Path("data/mtgc.csv").read_text() == "one"
    versions.restore("v3")
    assert Path("data/mtgc.csv").read_text() == "three"


def test_the_reasons_are_shown_when_neither_cache_nor_remote_has_a_version(repository):
    shutil.rmtree(".dvc/cache")
    Path("data/mtgc.csv").unlink()
    with pytest.raises(UserError) as raised:
        versions.restore("v1")
    told = str(raised.value)
    assert "\n" not in told and "neither the cache nor the remote has this version" in told
    assert "Checkout failed for following targets: " in told and "data/mtgc.csv" in told
    assert "failed to pull data from the cloud" in told


def test_what_the_cache_lacks_is_fetched_from_the_remote_and_said(repository, tmp_path, caplog):
    dvc("remote", "add", "--quiet", "--default", "here", str(tmp_path / "remote"))
    git("commit", "--quiet", "--all", "--message", "A remote")
    shutil.move(".dvc/cache", tmp_path / "remote")
    Path("data/mtgc.csv").unlink()
    versions.restore("v1")
    assert Path("data/mtgc.csv").read_text() == "one"
    assert "Checkout failed" in caplog.text and "fetching from the remote" in caplog.text
