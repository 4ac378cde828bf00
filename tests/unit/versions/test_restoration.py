"""Restoring versions, in real repositories of Git and DVC that hold two products."""

import fcntl
import json
import os
import shutil
from pathlib import Path

import pytest
import yaml

from trailers12k.common.errors import UserError
from trailers12k.versions import restoration
from trailers12k.versions.repository import dvc, git
from trailers12k.versions.restoration import restore
from trailers12k.workflow.folder import STATE

from .conftest import PRODUCTS, create, snapshot


@pytest.fixture(params=["root", "subfolder"])
def repository(request, tmp_path, monkeypatch):
    """A collection with two versions, v1 and v2, of which v2 is here: in a repository of its own,
    or in a subfolder of another repository."""
    top = tmp_path / "repository"
    folder = top if request.param == "root" else top / "some" / "collection"
    return create(folder, top, tmp_path, monkeypatch)


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


def test_the_reasons_are_shown_when_neither_cache_nor_remote_has_a_version(repository, tmp_path):
    for path in [*Path(".dvc/cache").rglob("*")]:
        if path.is_file() and path.suffix != ".dir":
            path.unlink()
    Path("data/mtgc.csv").unlink()
    shutil.rmtree("results")
    with pytest.raises(UserError) as raised:
        restore("v1")
    message = str(raised.value)
    assert "\n" not in message and "neither the cache nor the remote has this version" in message
    assert "Checkout failed for following targets: " in message and "data/mtgc.csv" in message
    shutil.rmtree(".dvc/cache")
    with pytest.raises(UserError, match="has this version: the list of files of 'results/runs' is"):
        restore("v2")


def test_what_the_cache_lacks_is_fetched_from_the_remote_and_logged(repository, tmp_path, caplog):
    dvc("remote", "add", "--quiet", "--default", "here", str(tmp_path / "remote"))
    git("commit", "--quiet", "--all", "--message", "A remote")
    shutil.move(".dvc/cache", tmp_path / "remote")
    Path("data/mtgc.csv").unlink()
    shutil.rmtree("results")
    restore("v1")
    assert Path("data/mtgc.csv").read_text() == "one"
    assert caplog.messages == ["Products come from the remote."]
    Path("data/mtgc.csv").unlink()
    for path in [*Path(".dvc/cache").rglob("*")]:
        if path.is_file() and path.suffix != ".dir":
            path.unlink()
    restore("v1", force=True)
    assert Path("data/mtgc.csv").read_text() == "one"
    assert "Checkout failed" in caplog.text


def test_a_store_of_another_version_that_dvc_yaml_does_not_name_is_removed(small_repository):
    """As after a run with other settings."""
    snapshot("v3", "three", [*PRODUCTS, "data/more.zarr", "results/runs2"])
    git("checkout", "--quiet", "v2", "--", "dvc.yaml", "dvc.lock")
    Path("data/own.csv").write_text("mine")
    Path("data/own.zarr").mkdir()
    restore("v1")
    assert sorted(map(str, Path("data").glob("*"))) == [
        "data/mtgc.csv",
        "data/own.csv",
        "data/own.zarr",
    ]
    restore("v3")
    Path("data/more.zarr/run.json").write_text("mine")
    git("checkout", "--quiet", "v2", "--", "dvc.yaml", "dvc.lock")
    restore("v1", force=True)
    assert Path("data/more.zarr/run.json").read_text() == "mine"


def test_a_pull_of_dvc_that_was_cut_is_finished(small_repository):
    for name in ("a", "b"):
        Path("results/runs", name).write_text(name)
    snapshot("v3", "three")
    Path("results/runs/a").unlink()
    Path("results/runs/.NnvAKMiZ1SIaxV_8_D4wdQ.tmp").write_text("thr")
    Path("results/.NnvAKMiZ1SIaxV_8_D4wdQ.tmp").write_text("thr")
    Path("data/mtgc.csv").unlink()
    restore()
    assert {path.name for path in Path("results/runs").iterdir()} == {"a", "b", "run.json"}
    assert not list(Path("results").glob(".*"))
    assert Path("data/mtgc.csv").read_text() == "three"
    Path("results/runs/a").unlink()
    Path("results/runs/b").write_text("mine")
    with pytest.raises(UserError, match="^restore: results/runs/b is in no version; keep it"):
        restore("v2")


def test_what_dvc_raises_is_one_line(small_repository):
    """Another process of DVC, a damaged cache, no repository, and a remote of no known kind."""
    state = next(
        out
        for out in Path("dvc.lock").read_text().split("- path: ")
        if out.startswith("build/state")
    )
    object_ = cached(state.split("md5: ")[1].split()[0])
    with Path(".dvc/tmp/lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(UserError, match="^dvc: Unable to acquire lock.*[^\\n]$"):
            restore("v1")
    rewrite(object_, "damaged")
    STATE.unlink()
    match = (
        f"^restore: {STATE} is damaged in DVC's cache; remove {object_}, then: .* restore --force$"
    )
    with pytest.raises(UserError, match=match):
        restore()
    Path(".dvc/config").write_text("[core]\n  remote = a\n['remote \"a\"']\n  url = none://x\n")
    shutil.rmtree(".dvc/cache")
    with pytest.raises(UserError, match="^dvc: config file error: Unsupported") as error:
        restore("v2", force=True)
    shutil.rmtree(".dvc")
    with pytest.raises(UserError, match="^dvc: you are not inside of a DVC repository") as other:
        restore("v2", force=True)
    assert all("\n" not in str(each.value) for each in (error, other))


def cached(name):
    """The path of an object in DVC's cache."""
    return Path(".dvc/cache/files/md5", name[:2], name[2:])


def listing_of(product):
    """The listing of a folder that dvc.lock names."""
    stages = yaml.safe_load(Path("dvc.lock").read_text())["stages"].values()
    outs = [out for stage in stages for out in stage["outs"]]
    return cached(next(out["md5"] for out in outs if out["path"] == product))


def rewrite(path, text):
    """Change a file that DVC made read-only."""
    path.chmod(0o644)
    path.write_text(text)


def change(file, old, new):
    """Replace a text that the file has."""
    text = Path(file).read_text()
    assert old in text
    Path(file).write_text(text.replace(old, new, 1))


def refused(match, version="v2"):
    """A restore that ends in one line, with the version, and changes nothing."""
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    with pytest.raises(UserError, match=match) as raised:
        restore(version, force=True)
    assert "\n" not in str(raised.value) and len(str(raised.value)) < 500
    after = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    known = [path for path in before if ".dvc" not in path.parts and ".git" not in path.parts]
    assert {path: after.get(path) for path in known} == {path: before[path] for path in known}


LEAVING = (
    "../../../victim",
    "../../.git/config",
    "/victim",
    "a/../../x",
    "",
    "a//b",
    "a\\b",
    "a\0",
)


@pytest.mark.parametrize("at", ["cache", "remote"])
def test_a_listing_that_leaves_its_product_is_refused_before_dvc_follows_it(
    repository, tmp_path, at
):
    listing = listing_of("results/runs")
    content = next(iter(json.loads(listing.read_text())))["md5"]
    texts = [json.dumps([{"md5": content, "relpath": path}]) for path in LEAVING]
    for hash_ in ("../../../victim", f"{content}.dir", 5, None):
        texts.append(json.dumps([{"md5": hash_, "relpath": "run.json"}]))
    texts += ["{}", "[5]", "[" * 10_000, "", '[{"relpath": "a"}]', "\ufeff[]", "[NaN]"]
    if at == "remote":
        dvc("remote", "add", "--quiet", "--default", "here", str(tmp_path / "remote"))
        shutil.copytree(".dvc/cache", tmp_path / "remote")
    for text in texts if at == "cache" else texts[:1]:
        if at == "remote":
            remote = tmp_path / "remote" / listing.relative_to(".dvc/cache")
            rewrite(remote, text)
            shutil.rmtree(".dvc/cache")
        else:
            rewrite(listing, text)
        for version in ("v2", ""):
            refused("do not trust this version|is not the name of a file|JSON|nested", version)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("stages:", "vars: [/etc/passwd]\nstages:"),
        ("stages:", "params: [x]\nstages:"),
        ("stages:", "artifacts: {}\nstages:"),
        ("stages:", "metrics: [../x]\nstages:"),
        ("stages:", "plots: [{a: {x: {../x: b}, y: {../x: b}}}]\nstages:"),
        ("stages:", "plots: [results/runs]\nstages:"),
        ("    deps: []", "    deps: []\n    wdir: .."),
        ("    deps: []", "    deps: []\n    metrics: [data/x.csv]"),
        ("    deps: []", "    deps: []\n    plots: [data/x.csv]"),
        ("    deps: []", "    deps: []\n    frozen: true"),
        ("    deps: []", "    deps: ['s3://bucket/x', {a: b}]"),
        ("  evaluation:", "  evaluation:\n    foreach: [a]\n    do: {cmd: a}\n  other:"),
        ("  evaluation:", "  evaluation:\n    matrix: {a: [b]}"),
        ("data/mtgc.csv", "data/${x}.csv"),
        ("data/mtgc.csv", "/tmp/x"),
        ("data/mtgc.csv", "data/../../x"),
        ("data/mtgc.csv", "build/trailers"),
        ("data/mtgc.csv", ".git/hooks"),
        ("persist: true", "persist: true\n        remote: x"),
        ("persist: true", "persist: true\n        <<: {cache: false}"),
        ("cmd: snakemake evaluate", "cmd: !!str snakemake evaluate"),
    ],
)
def test_a_dvc_yaml_with_more_than_the_program_writes_is_refused(small_repository, old, new):
    change("dvc.yaml", old, new)
    refused("^(dvc.yaml|data|dvc.lock): ?.*", "")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("path: data/mtgc.csv", "path: data/other.csv"),
        ("path: data/mtgc.csv", "path: ../../x"),
        ("md5: ", "md5: ../../"),
        ("hash: md5", "hash: md5-dos2unix"),
        ("hash: md5", "hash: md5\n      cloud: {a: {version_id: b}}"),
        ("hash: md5", "hash: md5\n      files: []"),
        ("schema: '2.0'", "schema: '1.0'"),
        ("schema: '2.0'", "schema: '2.0'\ndatasets: []"),
        ("  evaluation:", "  other:"),
    ],
)
def test_a_dvc_lock_with_more_than_dvc_writes_here_is_refused(small_repository, old, new):
    change("dvc.lock", old, new)
    refused("^dvc.lock: .*; do not trust this version$", "")


def test_other_files_of_dvc_are_never_checked_out(small_repository):
    md5 = json.loads(listing_of("results/runs").read_text())[0]["md5"]
    Path("x.dvc").write_text(f"outs:\n- {{md5: {md5}, hash: md5, path: notes.csv}}\n")
    Path("notes.csv").write_text("mine")
    restore("v1", force=True)
    assert Path("notes.csv").read_text() == "mine"
    assert Path("data/mtgc.csv").read_text() == "one"


CONFIGS = (
    *("movies: 5", "curation: 7", "curation: [a, b]", "movies: [[1], 2]", "movies: {a: b}"),
    *('curation: "a\\0b"', 'movies: "a\\0b.csv"', "curation: {}", "curation: 1.5"),
    *("curation: .git/HEAD", "curation: .dvc/config", "curation: data", "curation: data/mtgc.csv"),
    *("curation: ../collection/.git/HEAD", "curation: .", "curation: results/x.csv"),
    *("movies: [data/a.csv]\ncuration: ../.git/HEAD", "curation: notes.txt", "curation: d.csv"),
)


def test_a_configuration_of_a_version_names_no_file_to_be_removed(small_repository):
    Path("notes.txt").write_text("mine")
    Path("results/x.csv").write_text("mine")
    Path("d.csv").mkdir()
    Path("d.csv/x").write_text("mine")
    text = Path("dvc.yaml").read_text()
    for number, config in enumerate(CONFIGS):
        Path("config.yaml").write_text(f"{config}\n")
        git("add", "--force", "config.yaml")
        git("commit", "--quiet", "--message", "hostile")
        git("tag", f"h{number}")
    Path("config.yaml").write_text("{}\n")
    git("commit", "--quiet", "--all", "--message", "back")
    for number in range(len(CONFIGS)):
        refused("; do not trust this version$", f"h{number}")
    assert Path("dvc.yaml").read_text() == text


def test_large_files_of_a_version_are_refused_by_their_size(small_repository, monkeypatch):
    for name, size in (("dvc.yaml", 1_000_001), ("config.yaml", 1_000_001)):
        kept = Path(name).read_bytes()
        Path(name).write_bytes(b"#" * size)
        git("add", "--force", name)
        git("commit", "--quiet", "--message", "large")
        git("tag", f"large-{name}")
        Path(name).write_bytes(kept)
        git("commit", "--quiet", "--all", "--message", "back")
        refused(f"^{name} of large-{name} is too large; allowed: at most 1 MB", f"large-{name}")


def test_a_folder_of_products_that_is_a_link_is_refused(small_repository, tmp_path):
    shutil.move("data", tmp_path / "data")
    Path("data").symlink_to(tmp_path / "data")
    refused("^restore: data is a symbolic link, which DVC does not follow$")
