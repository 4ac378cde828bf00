"""Restoring versions, in real repositories of Git and DVC that hold two products."""

import os
import shutil
from pathlib import Path

import pytest
import yaml

from trailers12k.common.errors import UserError
from trailers12k.versions import restoration, run_state
from trailers12k.versions.repository import dvc, git, init_repository
from trailers12k.versions.restoration import restore
from trailers12k.workflow.folder import STATE

PRODUCTS = ("data/mtgc.csv", "results/runs")


def snapshot(tag, text, products=PRODUCTS):
    """A version of these products, which all hold this text."""
    stages = {
        "evaluation": {"cmd": "snakemake evaluate", "deps": []},
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


@pytest.fixture(params=["root", "subfolder"])
def repository(request, tmp_path, monkeypatch):
    """A collection with two versions, v1 and v2, of which v2 is here: in a repository of its own,
    or in a subfolder of another repository."""
    top = tmp_path / "repository"
    folder = top if request.param == "root" else top / "some" / "collection"
    (folder / "build").mkdir(parents=True)
    (folder / run_state.MEMORY).mkdir(parents=True)
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, os.devnull)
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "A Tester")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "tester@example.org")
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    git("init", "--quiet", folder=top)
    init_repository(folder)
    monkeypatch.chdir(folder)
    Path("config.yaml").write_text("{}\n")
    snapshot("v1", "one")
    snapshot("v2", "two")
    return folder


@pytest.fixture(autouse=True)
def no_workflow(monkeypatch):
    """These products are of no workflow that could be planned."""
    monkeypatch.setattr(restoration, "planned_jobs", lambda files: "")


def test_a_version_is_restored_where_the_collection_is(repository):
    restore("v1")
    assert Path("data/mtgc.csv").read_text() == "one"
    assert Path("results/runs/run.json").read_text() == "one"
    restore("v2")
    assert Path("data/mtgc.csv").read_text() == "two"
    with pytest.raises(UserError, match="^v3 is no version of this collection$"):
        restore("v3")


def test_work_in_no_version_is_refused_and_lost_by_force(repository):
    Path("data/mtgc.csv").write_text("mine")
    with pytest.raises(UserError, match="data/mtgc.csv is in no version; keep it: .*--force$"):
        restore("v1")
    assert Path("data/mtgc.csv").read_text() == "mine"
    restore("v1", force=True)
    assert Path("data/mtgc.csv").read_text() == "one"


@pytest.mark.parametrize("content", [b"", b"no archive", None], ids=["empty", "garbage", "cut"])
def test_a_damaged_state_is_named_with_the_way_out_before_anything_changes(repository, content):
    whole = STATE.read_bytes()
    STATE.write_bytes(whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(UserError, match=r"^restore: build/state.tar.gz.*; .*restore --force$"):
        restore("v1")
    assert git("status", "--porcelain") == "" and Path("data/mtgc.csv").read_text() == "two"
    restore("v2", force=True)
    assert STATE.read_bytes() == whole


def test_products_that_only_the_later_version_has_are_removed_and_others_stay(repository):
    snapshot("v3", "three", [*PRODUCTS, "data/more.zarr", "results/more.csv"])
    Path("data/unversioned.csv").write_text("mine")
    for path in [*Path("data").rglob("*"), *Path("results").rglob("*")]:
        os.utime(path, (1, 1))  # DVC alone would keep them
    restore("v2")
    assert sorted(map(str, Path("data").glob("[!.]*"))) == ["data/mtgc.csv", "data/unversioned.csv"]
    assert not Path("results/more.csv").exists()
    assert "up to date" in dvc("status")
    restore("v3")
    assert Path("data/more.zarr/run.json").read_text() == "three"
    assert Path("results/more.csv").read_text() == "three"
    assert "up to date" in dvc("status")


def test_a_product_of_the_later_version_that_the_cache_lacks_stays(repository):
    snapshot("v3", "three", [*PRODUCTS, "results/more.csv"])
    os.utime("results/more.csv", (1, 1))
    git("checkout", "--quiet", "v3")
    for path in Path(".dvc/cache").rglob("*"):
        if path.is_file() and path.read_text(errors="replace") == "three":
            path.unlink()
    restore("v2", force=True)
    assert Path("results/more.csv").read_text() == "three"
    assert Path("data/mtgc.csv").read_text() == "two"


def test_only_products_in_data_and_results_are_ever_removed(repository, tmp_path):
    Path("../victim").write_text("mine")
    Path("data/leads-out").symlink_to("../..")
    hostile = ("config.yaml", "../victim", "data/../../victim", "data/leads-out/victim", "data")
    for name in hostile:
        with pytest.raises(UserError):
            restoration._remove_products(["data/mtgc.csv", name])
        pipeline = Path("dvc.yaml").read_text()
        Path("dvc.yaml").write_text(pipeline.replace("data/mtgc.csv", name))
        with pytest.raises(UserError):
            restore("", force=True)
        Path("dvc.yaml").write_text(pipeline)
    restoration._remove_products(["build/state.tar.gz"])
    assert Path("../victim").read_text() == "mine"
    assert Path("config.yaml").exists() and Path("build/state.tar.gz").exists()
    assert Path("data/mtgc.csv").exists()


def test_decisions_outside_the_folder_are_never_removed(repository):
    Path("config.yaml").write_text("movies: ../movies.csv\ncuration: victim.csv\n")
    snapshot("v3", "three")
    Path("../victim.csv").write_text("mid,decision\n")
    restore("v3", force=True)
    assert Path("../victim.csv").exists()


def test_going_back_beyond_a_commit_that_deleted_dvc_lock(repository):
    git("rm", "--quiet", "dvc.lock")
    git("commit", "--quiet", "--message", "without versions")
    snapshot("v3", "three")
    restore("v1")
    assert Path("data/mtgc.csv").read_text() == "one"
    restore("v3")
    assert Path("data/mtgc.csv").read_text() == "three"


def test_the_reasons_are_shown_when_neither_cache_nor_remote_has_a_version(repository):
    shutil.rmtree(".dvc/cache")
    Path("data/mtgc.csv").unlink()
    shutil.rmtree("results")
    with pytest.raises(UserError) as raised:
        restore("v1")
    message = str(raised.value)
    assert "\n" not in message and "neither the cache nor the remote has this version" in message
    assert "Checkout failed for following targets: " in message and "data/mtgc.csv" in message
    assert "failed to pull data from the cloud" in message


def test_what_the_cache_lacks_is_fetched_from_the_remote_and_logged(repository, tmp_path, caplog):
    dvc("remote", "add", "--quiet", "--default", "here", str(tmp_path / "remote"))
    git("commit", "--quiet", "--all", "--message", "A remote")
    shutil.move(".dvc/cache", tmp_path / "remote")
    Path("data/mtgc.csv").unlink()
    shutil.rmtree("results")
    restore("v1")
    assert Path("data/mtgc.csv").read_text() == "one"
    assert "Checkout failed" in caplog.text and "fetching from the remote" in caplog.text
