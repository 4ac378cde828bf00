"""Collections in real repositories of Git and DVC that hold two products, in two versions."""

import os
import shutil
from pathlib import Path

import pytest
import yaml

from trailers12k.versions import run_state
from trailers12k.versions.repository import dvc, git, init_repository

PRODUCTS = ("data/mtgc.csv", "results/runs")


def snapshot(tag, text, products=PRODUCTS, deps=()):
    """A version of these products, which all hold this text.

    deps: tables of the user, which the version keeps too."""
    stages = {
        "evaluation": {"cmd": "snakemake evaluate", "deps": [*deps]},
        "state": {"cmd": "none", "deps": [], "outs": [{"build/state.tar.gz": {"persist": True}}]},
    }
    stages["evaluation"]["outs"] = [{path: {"persist": True}} for path in products]
    Path("dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    for product in products:
        path = Path(product, "" if product.endswith(".csv") else "run.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    run_state.write()
    dvc("commit", "--quiet", "--force")
    git("add", "--all")
    git("commit", "--quiet", "--message", tag)
    git("tag", tag)


def set_environment(monkeypatch, place):
    """Git without the user's configuration, but with a name; DVC with a cache below a place."""
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, os.devnull)
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "A Tester")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "tester@example.org")
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(place / "site"))


def create(folder, top, tmp_path, monkeypatch):
    """A collection with two versions, v1 and v2, of which v2 is here. top: of Git's repository."""
    (folder / "build").mkdir(parents=True)
    (folder / run_state.MEMORY).mkdir(parents=True)
    set_environment(monkeypatch, tmp_path)
    git("init", "--quiet", folder=top)
    init_repository(folder)
    monkeypatch.chdir(folder)
    Path("config.yaml").write_text("{}\n")
    snapshot("v1", "one")
    snapshot("v2", "two")
    return folder


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """A collection as of `create`, made once."""
    folder = tmp_path_factory.mktemp("template")
    with pytest.MonkeyPatch.context() as patch:
        return create(folder / "collection", folder / "collection", folder, patch)


@pytest.fixture
def small_repository(template, tmp_path, monkeypatch):
    """A copy of the template, which is the working directory."""
    folder = shutil.copytree(template, tmp_path / "collection", symlinks=True)
    set_environment(monkeypatch, tmp_path)
    monkeypatch.chdir(folder)
    return folder
