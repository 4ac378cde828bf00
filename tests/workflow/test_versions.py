"""Versions: made by Snakemake and by DVC, restored, compared, shared. One project, in the order of
its life; remotes are a folder, and an S3 server on loopback."""

import csv
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections import Counter
from pathlib import Path

import boto3
import numpy as np
import pytest
import s3fs
import yaml
import zarr
from moto.server import ThreadedMotoServer

from trailers12k.features.store import movies, read

from .conftest import COSTS, IMAGE, ROOT, VIDEO, Project

OF_GIT = [".gitignore", ".dvcignore", ".dvc"]
CHANCE = random.Random(0)
PICTURES = re.compile(r"\.(mp4|webm|mkv|m4v|mov|jpg|jpeg|png|webp|part)$", re.IGNORECASE)


class Repository:
    """A collection in a repository: its folder, and commands in it.

    source: the clone of the workflow whose commands are called; by default the folder itself.
    """

    def __init__(self, folder: Path, source: Path | None = None):
        self.folder, self.source = folder, source or folder

    def environment(self) -> dict[str, str]:
        own = {"PYTHONPATH": str(self.source), "AWS_ACCESS_KEY_ID": "a"}
        own |= {"AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "us-east-1"}
        own |= {f"GIT_{who}_NAME": "A Tester" for who in ("AUTHOR", "COMMITTER")}
        own |= {f"GIT_{who}_EMAIL": "tester@example.org" for who in ("AUTHOR", "COMMITTER")}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return os.environ | own | {"PATH": path}

    def start(self, *command: str) -> subprocess.Popen:
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *command: str, code: int = 0) -> str:
        """What a command prints; it must end with this code."""
        running = self.start(*command)
        text, _ = running.communicate()
        assert running.returncode == code, text[-5000:]
        return text

    def cut(self, *command: str, after: float) -> bool:
        """Kill a command, and all that it started, after so many seconds; whether it ran still."""
        running = self.start(*command)
        try:
            running.communicate(timeout=after)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            running.communicate()
            return True
        return False

    def trailers12k(self, *arguments: str, code: int = 0) -> str:
        return self.run("trailers12k", *arguments, code=code)

    def is_clean(self) -> bool:
        return "Data and pipelines are up to date" in self.run("dvc", "status")

    def plans_nothing(self) -> bool:
        return "Nothing to be done" in self.run("snakemake", "-n")

    def clone(self, folder: Path) -> "Repository":
        self.run("git", "clone", "--quiet", str(self.folder), str(folder))
        return Repository(folder)

    def names(self) -> dict[str, dict]:
        return yaml.safe_load((self.folder / "dvc.yaml").read_text())["stages"]

    def outs(self) -> set[str]:
        return {path for stage in self.names().values() for out in stage["outs"] for path in out}

    def products(self) -> dict[str, bytes]:
        """Every file that is kept in DVC, but for the state."""
        products = {}
        for out in self.outs() - {"build/state.tar.gz"}:
            top = self.folder / out
            for path in [top] if top.is_file() else top.rglob("*"):
                if path.is_file():
                    products[path.relative_to(self.folder).as_posix()] = path.read_bytes()
        return products

    def files(self) -> dict[str, tuple[int, int]]:
        """Every file that is kept in DVC, but for the state: inode and time."""
        states = {name: (self.folder / name).stat() for name in self.products()}
        return {name: (state.st_ino, state.st_mtime_ns) for name, state in states.items()}

    def configure(self, key: str, value: object) -> None:
        path = self.folder / "config.yaml"
        whole = yaml.safe_load(path.read_text())
        section, _, name = key.rpartition(".")
        (whole[section] if section else whole)[name] = value
        path.write_text(yaml.safe_dump(whole, sort_keys=False))


@pytest.fixture(scope="module")
def project(tmp_path_factory, of_table) -> Repository:
    """The built project of the table, in a Git repository."""
    copied = Project.copied(of_table.folder, tmp_path_factory.mktemp("versions") / "project")
    folder = copied.folder
    for name in OF_GIT:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    for own in ("cache", "tmp", "config.local"):
        path = folder / ".dvc" / own
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    repository = Repository(folder)
    repository.run("git", "init", "--quiet")
    repository.run("git", "add", "--all")
    repository.run("git", "commit", "--quiet", "--message", "The workflow")
    return repository


@pytest.fixture(scope="module")
def first(project) -> dict[str, bytes]:
    """The products of the version v1, made by Snakemake and kept by `trailers12k snapshot`.

    Its code is committed but for a comment. The snapshot is killed once, as those of v2 and v3."""
    module = project.folder / "trailers12k/report/tables.py"
    committed = module.read_text()
    module.write_text(f"{committed}# A comment.\n")
    output = project.trailers12k("snapshot", code=2)
    assert "snapshot: trailers12k/report/tables.py of the clone" in output
    project.cut("trailers12k", "snapshot", "--allow-dirty", after=5 + 3 * CHANCE.random())
    output = project.trailers12k("snapshot", "--version", "v1", "--allow-dirty")
    assert "Made by code that is not committed: trailers12k/report/tables.py" in output
    module.write_text(committed)
    assert re.search(r"Snapshot: 11 movies, 11 trailers, \d+ clips, 22 arrays in 2 stores;", output)
    return project.products()


def test_after_a_snapshot_neither_snakemake_nor_dvc_has_anything_to_do(project, first):
    assert project.run("git", "tag").split() == ["v1"]
    assert project.run("git", "status", "--porcelain") == ""
    assert project.is_clean() and project.plans_nothing()
    output = project.run("dvc", "repro")
    assert output.count("didn't change, skipping") == len(project.names())


def test_dvc_yaml_holds_every_product_and_none_that_is_not(project, first):
    there = {
        path.relative_to(project.folder).as_posix()
        for top in ("data", "results")
        for path in (project.folder / top).rglob("*")
        if path.is_file()
    }
    assert there - set(first) == set()
    assert all((project.folder / out).exists() for out in project.outs())


def test_videos_and_posters_are_never_in_a_version(project, first):
    pictures = [name for name in first if PICTURES.search(name)]
    # A picture with an SVG beside it is drawn from tables.
    drawn = {f"{name.removesuffix('.svg')}.png" for name in first if name.endswith(".svg")}
    assert drawn and {*pictures} == drawn
    assert all(name.startswith("results/figures/") for name in drawn)
    with tarfile.open(project.folder / "build/state.tar.gz") as tar:
        names = tar.getnames()
    assert names and [name for name in names if PICTURES.search(name)] == []
    trailer = next((project.folder / "build/trailers").glob("*.mp4"))
    output = project.run("dvc", "add", trailer.relative_to(project.folder).as_posix(), code=1)
    assert "ignored" in output


@pytest.mark.parametrize(
    ("key", "value", "stages"),
    [
        ("seed", 7, {"metadata", "features", "splits", "evaluation"}),
        ("image_frames", 2, {"features"}),
        ("precision", "bf16", {"features"}),
        ("clips.min_shot", 7, {"clips", "features"}),
        ("splits.tries", 3, {"splits"}),
        ("training.epochs", 4, {"evaluation"}),
        ("evaluation.also", ["sklearn"], {"evaluation"}),
        ("runs.image", {"image": IMAGE, "shuffle_labels": True}, {"evaluation"}),
        ("trailers.short_side", 240, {"metadata"}),
        ("shards", 3, {"metadata", "clips", "features"}),
        ("max_failure_rate", 0.5, {"report"}),
        ("device", "cpu", {"report"}),
    ],
)
def test_a_key_is_a_parameter_of_the_stages_whose_jobs_it_changes(
    project, first, key, value, stages
):
    config = project.folder / "config.yaml"
    before = config.read_text()
    project.configure(key, value)
    output = project.run("snakemake", "-n")
    status = json.loads(project.run("dvc", "status", "--json"))
    config.write_text(before)
    changed = {
        name
        for name, changes in status.items()
        if any("changed deps" in each and "config.yaml" in each["changed deps"] for each in changes)
    }
    assert changed == stages | {"report"}
    rules = set(re.findall(r"^(?:local)?rule (\w+):$", output, re.M)) - {"all"}
    assert {stage_of(rule) for rule in jobs_by_params(output)} <= changed
    assert rules, "Snakemake, too, has something to do"


def jobs_by_params(output: str) -> set[str]:
    """The rules whose parameters have changed."""
    blocks = re.findall(r"^(?:local)?rule (\w+):\n((?: .*\n)+)", output, re.M)
    return {rule for rule, block in blocks if "Params have changed" in block}


def stage_of(rule: str) -> str:
    for stage, rules in {
        "metadata": "list_movies build_metadata download_trailers render_sample",
        "clips": "detect_clips merge_clips",
        "features": "download_posters extract_features extract_posters merge_store merge_ledger "
        "fetch_weights make_random_weights",
        "splits": "make_splits plot_splits",
        "evaluation": "pack_store train_run predict_variants score_runs score_options "
        "summarize_results draw_curves",
        "report": "describe_run map_features flag_trailers draw_report write_config check_failures",
    }.items():
        if rule in rules.split():
            return stage
    raise AssertionError(f"{rule} belongs to no stage")


def test_a_change_of_code_is_seen_by_both(project, first):
    module = project.folder / "trailers12k" / "splits" / "stratification.py"
    before = module.read_text()
    module.write_text(before + "\nUNUSED = 1\n")
    output = project.run("snakemake", "-n")
    project.trailers12k("stages")
    status = json.loads(project.run("dvc", "status", "--json"))
    module.write_text(before + "\n# A comment.\n")
    project.trailers12k("stages")
    assert project.is_clean() and project.plans_nothing()
    module.write_text(before)
    assert jobs_by_params(output) == {"make_splits"}
    assert set(status) == set(project.names())


@pytest.fixture(scope="module")
def second(project, first, tmp_path_factory) -> dict[str, bytes]:
    """The products of v2, made by `dvc repro`: a movie less, by a decision, another genre, more
    frames."""
    path = project.folder / "movies.csv"
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    rows[0]["genres"] = "horror" if rows[0]["genres"] != "horror" else "drama"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    (project.folder / "curation.csv").write_text(f"mid,decision\n{rows[-1]['mid']},reject\n")
    project.configure("image_frames", 2)
    other = tmp_path_factory.mktemp("other") / "project"
    shutil.copytree(project.folder, other, symlinks=True)

    output = project.run("dvc", "repro")
    assert "Running stage 'features'" in output
    assert project.is_clean() and project.plans_nothing()
    # Snakemake, from the same beginning.
    twin = Repository(other)
    twin.run("snakemake", "--cores", "2")
    twin.trailers12k("snapshot")
    assert twin.is_clean()
    here, there = project.products(), twin.products()
    assert here.keys() == there.keys()
    assert {name for name in here if here[name] != there[name]} <= set(COSTS)

    project.cut("trailers12k", "snapshot", after=5 + 3 * CHANCE.random())
    files = project.files()
    project.trailers12k("snapshot", "--version", "v2")
    # DVC would remove single files and hard links, and copy them from its cache.
    assert project.files() == files
    return here


def test_what_changed_is_printed(project, second):
    output = project.run("trailers12k", "diff", "v1", "v2")
    assert "11 -> 10 movies" in output and "1 relabelled" in output
    assert "image_frames: 1 -> 2" in output and "cosine" in output
    assert re.search(r", commit \w+, and not committed: .*tables.py -> .*, commit \w+\n", output)
    assert re.search(r"image +\d+\.\d\d +\d+\.\d\d +[+-]\d+\.\d\d", output)


def test_numbers_and_plots_are_declared(project, second):
    shown = json.loads(project.run("dvc", "metrics", "show", "--json"))
    assert 0 < shown[""]["data"]["results/metrics.json"]["data"]["image"]["uap"] <= 100
    moved = json.loads(project.run("dvc", "metrics", "diff", "v1", "v2", "--json"))
    assert "results/metrics.json" in moved
    params = json.loads(project.run("dvc", "params", "diff", "v1", "v2", "--json"))
    assert params["config.yaml"]["image_frames"] == {"old": 1, "new": 2, "diff": 1}
    plots = json.loads(project.run("dvc", "plots", "diff", "v1", "v2", "--json"))
    drawn = plots["data"]
    assert {"precision and recall", "learning of image", "genres of image"} <= set(drawn)
    assert {"balance of split0 test"} <= set(drawn)
    for title, each in drawn.items():
        assert len(each) and {"v1", "v2"} == set(each[0]["revisions"]), title
        points = each[0].get("datapoints") or json.dumps(each[0]["content"])
        assert len(points) > 1, title
    assert "index.html" in project.run("dvc", "plots", "show")


def test_a_version_is_restored_and_the_later_one_again(project, first, second):
    output = project.trailers12k("restore", "v1")
    assert "Nothing to be done" in output
    assert not (project.folder / "curation.csv").exists(), "it is of v2"
    assert project.products() == first
    assert project.is_clean() and project.plans_nothing()
    # build/ is that of v1, too.
    shards = (project.folder / f"build/features/{VIDEO}").glob("*.zarr")
    mids = sorted(mid for shard in shards for mid in movies(shard))
    assert mids == movies(project.folder / f"data/{VIDEO}.zarr")
    decisions = project.folder / "curation.csv"
    decisions.write_text("mid,decision\n")
    assert "curation.csv is in no version" in project.trailers12k("restore", "v1", code=2)
    decisions.unlink()
    assert "Nothing to be done" in project.trailers12k("restore", "v2")
    assert project.products() == second and decisions.exists()
    project.configure("training.epochs", 4)
    rules = Counter(re.findall(r"^(?:local)?rule (\w+):$", project.run("snakemake", "-n"), re.M))
    assert rules["train_run"] == 6 and not rules["extract_features"] and not rules["pack_store"]
    assert "config.yaml is in no version" in project.trailers12k("restore", "v1", code=2)
    assert "Nothing to be done" in project.trailers12k("restore", "v2", "--force")


MORE = "trailers_i_more_fpc24"
ONLY_THIRD = (f"data/{MORE}.zarr", f"data/{MORE}.csv", "results/runs/more")
"""Products that only the version v3 has."""


@pytest.fixture(scope="module")
def third(project, second) -> dict[str, bytes]:
    """The products of v3. Beside v2 it has a backbone and a run more, others less, a movie more,
    other labels, other splits and another training."""
    (project.folder / "curation.csv").unlink()
    path = project.folder / "config.yaml"
    config = yaml.safe_load(path.read_text())
    config["backbones"] = {
        IMAGE: config["backbones"][IMAGE],
        MORE: {"model": "torchvision/shufflenet_v2_x0_5", "input": "frames", "batch": 8},
    }
    config["runs"] = {"image": {"image": IMAGE}, "more": {"image": MORE}}
    config["splits"]["tries"] = 3
    config["training"]["epochs"] = 2
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    project.run("snakemake", "--cores", "2")
    project.cut("trailers12k", "snapshot", after=5 + 3 * CHANCE.random())
    project.trailers12k("snapshot", "--version", "v3")
    assert project.is_clean() and project.plans_nothing()
    return project.products()


def test_going_back_and_forth_over_all_that_a_version_adds_removes_and_changes(
    project, first, second, third
):
    """Backbones, runs, movies and splits; a restored version has no product of another one.

    Some follow a restore that was killed; `make versions` kills more, and has more versions."""
    versions = {"v1": first, "v2": second, "v3": third}
    for name, cut in (("v1", "v1"), ("v3", "v2"), ("v2", "v1"), ("v3", ""), ("v1", "")):
        if cut:
            project.cut("trailers12k", "restore", cut, after=3 + 3 * CHANCE.random())
        assert "Nothing to be done" in project.trailers12k("restore", name), name
        assert project.products() == versions[name], name
        assert project.is_clean(), name
        for path in ONLY_THIRD:
            assert (project.folder / path).exists() == (name == "v3"), (name, path)
        build = project.folder / "build"
        assert (build / "features" / MORE).exists() == (name == "v3")
        assert (build / "features" / VIDEO).exists() == (name != "v3")


def test_remaining_products_of_a_later_version_change_nothing(project, third, tmp_path):
    """As they do when DVC's cache lacked them while an earlier version was restored."""
    stray = {name: data for name, data in third.items() if name.startswith(ONLY_THIRD)}
    assert {name.split("/")[0] for name in stray} == {"data", "results"}
    for name, data in stray.items():
        path = project.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    assert project.plans_nothing() and project.is_clean()
    assert "Nothing to be done" in project.trailers12k("restore", "v3")
    assert project.products() == third
    assert "Nothing to be done" in project.trailers12k("restore", "v2")


def test_after_git_and_dvc_alone_only_build_is_to_be_restored(project, first, second):
    kept = ["dvc.yaml", "dvc.lock", "config.yaml", "movies.csv"]
    project.run("git", "checkout", "--quiet", "v1", "--", *kept)
    project.run("git", "rm", "--quiet", "--cached", "--ignore-unmatch", "curation.csv")
    (project.folder / "curation.csv").unlink()
    project.run("dvc", "checkout", "--quiet")
    refused = project.run("snakemake", "-n", code=1)
    (line,) = [each for each in refused.splitlines() if each.startswith("error: ")]
    assert "belongs to another version" in line and line.endswith("trailers12k restore")
    assert "Nothing to be done" in project.trailers12k("restore")
    assert project.products() == first and project.plans_nothing()
    # Without a name, the version is the one that Git has here.
    project.run("git", "checkout", "--quiet", "v2", "--", *kept, "curation.csv")
    assert "Nothing to be done" in project.trailers12k("restore")
    assert project.products() == second


def test_what_is_in_no_version_is_not_lost(project, first, second):
    table = project.folder / "results" / "summary.md"
    before = table.read_text()
    table.write_text("my own notes\n")
    assert "results/summary.md is in no version" in project.trailers12k("restore", "v2", code=2)
    assert table.read_text() == "my own notes\n"
    table.write_text(before)
    assert "v9 is no version" in project.trailers12k("restore", "v9", code=2)
    # The settings are there, but what they change is not.
    project.configure("image_frames", 3)
    project.run("snakemake", "results/config.yaml")
    output = project.trailers12k("snapshot", code=2)
    assert "snapshot: the run is not finished" in output and "extract_features" in output
    assert "Nothing to be done" in project.trailers12k("restore", "v2", "--force")
    project.run("git", "commit", "--quiet", "--all", "--allow-empty", "--message", "At v2")


def test_an_experiment_with_another_setting(project, second):
    project.run("dvc", "exp", "run", "--name", "short", "-S", "config.yaml:training.epochs=2")
    shown = project.run("dvc", "exp", "show", "--csv")
    assert "short" in shown
    assert project.plans_nothing()
    project.run("git", "checkout", "--quiet", "HEAD", "--", ".")
    project.run("dvc", "checkout", "--quiet", "--force")
    assert "Nothing to be done" in project.trailers12k("restore")
    assert project.plans_nothing() and project.products() == second


def test_a_second_clone_evaluates_without_computing_features(project, second, tmp_path):
    project.run("dvc", "push", "--quiet")
    assert (project.folder.parent / "trailers12k-versions").is_dir()
    clone = project.clone(project.folder.parent / "second")
    clone.run("dvc", "pull", "--quiet")
    assert clone.products() == second and clone.is_clean()
    assert not list((clone.folder / "build").rglob("*.mp4"))
    assert "trailers12k restore" in clone.run("snakemake", "evaluate", code=1)
    clone.trailers12k("restore")
    assert "Nothing to be done" in clone.run("snakemake", "evaluate")
    clone.configure("training.epochs", 4)
    output = clone.run("snakemake", "evaluate", "--cores", "2")
    rules = Counter(re.findall(r"^(?:local)?rule (\w+):$", output, re.M))
    assert rules["train_run"] == 6
    assert not {"download_trailers", "detect_clips", "extract_features"} & set(rules)


def test_one_store_or_one_movie_alone(project, second, tmp_path):
    clone = project.clone(project.folder.parent / "third")
    clone.run("dvc", "pull", "--quiet", f"data/{IMAGE}.zarr")
    assert [path.name for path in (clone.folder / "data").iterdir()] == [f"{IMAGE}.zarr"]
    mid = movies(clone.folder / f"data/{IMAGE}.zarr")[0]
    target = tmp_path / "one"
    clone.run("dvc", "get", str(project.folder), f"data/{VIDEO}.zarr/{mid}", "--out", str(target))
    here = read(project.folder / f"data/{VIDEO}.zarr", mid)
    np.testing.assert_array_equal(zarr.open_array(target, mode="r")[:], here)


def test_a_store_is_read_straight_from_a_remote(project, second):
    mid = movies(project.folder / f"data/{IMAGE}.zarr")[0]
    code = (
        "import zarr; from dvc.api import DVCFileSystem; "
        f"fs = DVCFileSystem({str(project.folder)!r}, rev='v1'); "
        f"z = zarr.open(fs.get_mapper('/data/{IMAGE}.zarr'), mode='r'); "
        f"print(z.attrs['num_features'], z[{mid!r}].shape)"
    )
    assert project.run("python", "-c", code).startswith("1024 (")


def test_a_push_to_s3_that_is_cut_is_finished_by_the_next(project, second):
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        url = "http://{}:{}".format(*server.get_host_and_port())
        own = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
        bucket = boto3.client("s3", endpoint_url=url, region_name="us-east-1", **own)
        bucket.create_bucket(Bucket="trailers")

        def there() -> int:
            return bucket.list_objects_v2(Bucket="trailers").get("KeyCount", 0)

        project.run("dvc", "remote", "add", "--quiet", "s3", "s3://trailers/versions")
        project.run("dvc", "remote", "modify", "--quiet", "s3", "endpointurl", url)
        pushing = project.start("dvc", "push", "--quiet", "--remote", "s3", "--jobs", "1")
        while there() < 10 and pushing.poll() is None:
            time.sleep(0.02)
        os.killpg(pushing.pid, signal.SIGKILL)
        pushing.communicate()
        cut = there()
        project.run("dvc", "push", "--quiet", "--remote", "s3")
        assert 10 <= cut < there()
        project.run("git", "commit", "--quiet", "--all", "--message", "A remote on S3")
        clone = project.clone(project.folder.parent / "fourth")
        clone.run("dvc", "pull", "--quiet", "--remote", "s3")
        assert clone.products() == second and clone.is_clean()
        clone.trailers12k("restore")
        assert "Nothing to be done" in clone.run("snakemake", "evaluate")

        # A plain copy of a store, for those who have no DVC.
        access = {"key": "a", "secret": "b", "client_kwargs": {"endpoint_url": url}}
        store = project.folder / f"data/{IMAGE}.zarr"
        s3fs.S3FileSystem(**access).put(str(store), "trailers/plain.zarr", recursive=True)
        there_ = zarr.open("s3://trailers/plain.zarr", mode="r", storage_options=access)
        mid = movies(store)[0]
        np.testing.assert_array_equal(there_[mid][:], read(store, mid))
    finally:
        server.stop()


@pytest.fixture(scope="module")
def collection(of_table, tmp_path_factory) -> Repository:
    """A finished collection of `trailers12k init`, in a subfolder of another repository."""
    top = Repository(tmp_path_factory.mktemp("notes") / "top", of_table.folder)
    top.folder.mkdir()
    top.run("git", "init", "--quiet")
    collection = Repository(top.folder / "movies" / "mine", of_table.folder)
    top.run("trailers12k", "init", "movies/mine")
    for name in ("config.yaml", "movies.csv"):
        shutil.copy(of_table.folder / name, collection.folder / name)
    for name in ("data", "build", "results", ".snakemake"):
        shutil.copytree(of_table.folder / name, collection.folder / name, symlinks=True)
    return collection


def test_a_collection_in_a_subfolder_of_a_repository_has_versions_too(collection, tmp_path):
    assert collection.run("trailers12k", "run", "-n").count("Nothing to be done") == 1
    assert "Snapshot: 11 movies" in collection.trailers12k("snapshot", "--version", "v1")
    first = collection.products()
    assert collection.is_clean()
    collection.configure("training.epochs", 2)
    assert "Running stage 'evaluation'" in collection.run("dvc", "repro")
    assert collection.is_clean()
    collection.trailers12k("snapshot", "--version", "v2")
    second = collection.products()
    assert "training.epochs: 3 -> 2" in collection.trailers12k("diff", "v1", "v2")
    for name, products in {"v1": first, "v2": second}.items():
        assert "Nothing to be done" in collection.trailers12k("restore", name)
        assert collection.products() == products and collection.is_clean()

    collection.run("dvc", "push", "--quiet")
    top = collection.folder.parents[1]
    assert (top.parent / "mine-versions").is_dir(), "beside the repository, not inside it"
    Repository(top).run("git", "clone", "--quiet", str(top), str(tmp_path / "clone"))
    clone = Repository(tmp_path / "clone" / "movies" / "mine", collection.source)
    shutil.move(top.parent / "mine-versions", tmp_path / "mine-versions")
    assert "Nothing to be done" in clone.trailers12k("restore")
    assert "Nothing to be done" in clone.run("trailers12k", "run", "evaluate")
    assert clone.products() == second and clone.is_clean()
