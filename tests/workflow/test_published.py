"""The paper's table from the authors' record: a small one in its format, served on loopback."""

import csv
import hashlib
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
import yaml
import zarr

from trailers12k.features import store as stores
from trailers12k.settings.files import override

from .conftest import Project
from .record.make import MIDS, STORES, clips, values
from .web import Web

RECORD = Path(__file__).parent / "record"
CUT, WRONG, EVIL = list(STORES)[:3]
KEPT = ("ShuffleNet-Fusion", "ResNet-Fusion", "Swin-3D")
"""The runs that are trained here; all eight would take a minute more."""
FEWER = dict.fromkeys(["ShuffleNet-2D", "ShuffleNet-3D", "ResNet", "R2+1D", "Swin-2D"])


def archive(store):
    return f"{store}.zarr.tar.gz"


def evil():
    """An archive with a member that would land beside its folder."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        for name in ("x.zarr/.zgroup", "../../escaped.txt"):
            member = tarfile.TarInfo(name)
            member.size = 2
            tar.addfile(member, io.BytesIO(b"{}"))
    return data.getvalue()


@pytest.fixture(scope="module")
def site():
    files = {path.name: path.read_bytes() for path in RECORD.glob("*.[cg][sz]*")}
    with Web(files) as web:
        yield web


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return Project(tmp_path_factory.mktemp("published"), {})


def run(project, site, *targets, dry=False, **config):
    """The preset, on this record, with little training."""
    md5 = {name: hashlib.md5(data).hexdigest() for name, data in site.files.items()}
    md5 |= config.pop("md5", {})
    small = {
        "published": {"files": f"{site.url}/good", "md5": md5},
        "training": {"epochs": 2, "batch": 8},
    }
    preset = yaml.safe_load((project.folder / "presets" / "published.yaml").read_text())
    project.config = override(preset, small | config)
    more = ["--dry-run"] if dry else []
    return project.run(*targets, *more)


def test_what_is_wrong_with_an_archive_is_told_and_touches_nothing(project, site):
    whole = dict(site.files)
    site.files[archive(EVIL)] = evil()
    site.kinds[archive(CUT)] = "cut"
    stores = [f"data/{store}.csv" for store in STORES]
    failed = run(project, site, *stores, md5={archive(WRONG): "0" * 32})
    assert failed.code != 0
    data = project.folder / "data"
    told = {
        CUT: "run the same command again to continue",
        WRONG: ", and should be 00000000000000000000000000000000",
        EVIL: "escaped.txt",
    }
    for store, words in told.items():
        last = project.log(f"fetch_store/{store}.log").splitlines()[-1]
        assert words in last, last
        assert not (data / f"{store}.csv").exists()
        assert not list(data.glob(f"{store}.zarr*/*"))
    assert not list(project.folder.parent.rglob("escaped.txt"))
    # The others are there, and the first lines told what all needs.
    for store in set(STORES) - set(told):
        assert (data / f"{store}.csv").exists()
        assert site.requests[f"/good/{archive(store)}"] == 1
    assert "disk: " in project.log("measure_record.log")
    assert "training: at most" in failed.text
    site.files.clear()
    site.files.update(whole)


def test_one_command_gives_the_papers_table(project, site):
    site.kinds.clear()
    planned = run(project, site, dry=True)
    assert planned.jobs["fetch_store"] == 3 and planned.jobs["train_run"] == 24
    done = run(project, site, runs=FEWER)
    assert done.code == 0, done.text[-3000:]
    assert done.jobs["fetch_store"] == 3 and done.jobs["train_run"] == 9
    # The cut one went on where it broke off.
    assert [path for path, _ in site.ranges] == [f"/good/{archive(CUT)}"]
    assert sorted(p.name for p in (project.folder / "build" / "published").iterdir()) == [
        "mtgc.csv",
        "sizes.csv",
    ]
    assert (project.folder / "data" / "mtgc.csv").read_bytes() == (RECORD / "mtgc.csv").read_bytes()
    for store, features in STORES.items():
        group = zarr.open(project.folder / "data" / f"{store}.zarr", mode="r")
        assert group.attrs["num_features"] == features
        assert group["tt9000056"].nchunks > 1
        if store == "trailers_i_swin_fpc24":
            continue  # of none of the runs that are kept
        packed = np.load(project.folder / "build" / "packed" / f"{store}.npy")
        expected = np.concatenate([values(MIDS.index(mid), features) for mid in sorted(MIDS)])
        np.testing.assert_array_equal(packed, expected)
    with (project.folder / "results" / "summary.csv").open(newline="") as file:
        rows = {row["run"]: row for row in csv.DictReader(file)}
    text = (project.folder / "results/report/index.html").read_text()
    assert "without a table of movies" in text and 'id="trailers"' not in text
    assert "Map of the trailers" in text and '"tt9000056"' in text
    assert (project.folder / "results/figures/map_trailers_ik_swin_fps24_fpc24.png").exists()
    trained = {run: row for run, row in rows.items() if row["classifier"] == "divita"}
    assert set(trained) == set(KEPT)
    assert all(row["weights"] == "as published" for row in trained.values())
    assert trained["Swin-3D"]["paper_uap"] == "75.71" and trained["Swin-3D"]["uap_within"]
    assert all(row["movies"] == row["of"] == "18" for row in trained.values())
    assert sum(clips(movie) < 30 for movie in range(30)) > 0
    assert "training trailers are shorter than 30 clips" in project.log(
        "train_run/Swin-3D/split0.log"
    )


def test_another_run_has_nothing_to_do(project, site):
    asked = sum(site.requests.values())
    assert "Nothing to be done" in run(project, site, runs=FEWER).text
    assert sum(site.requests.values()) == asked


def test_other_ways_to_evaluate_train_nothing_and_stand_beside(project, site):
    with (project.folder / "results" / "summary.csv").open() as file:
        before = [line for line in file if line.startswith(KEPT[1:])]
    also = ["masked", "whole", "weighted", "sklearn"]
    fewer = FEWER | {KEPT[0]: None}
    done = run(project, site, evaluation={"also": also}, runs=fewer)
    assert done.code == 0, done.text[-3000:]
    assert done.jobs == {
        "predict_variants": 6,
        "score_options": 1,
        "score_runs": 1,
        "fit_baselines": 1,
        "compare_rows": 1,
        "write_leaderboard": 1,
        "summarize_results": 1,
        "draw_curves": 1,
        "describe_run": 1,
        "draw_report": 1,
        "write_config": 1,
    }
    with (project.folder / "results" / "summary.csv").open() as file:
        after = [line for line in file if line.startswith(KEPT[1:])]
    assert before == after
    text = (project.folder / "results" / "summary.md").read_text()
    assert "## Evaluation variants of the same runs" in text
    for option in also:
        assert text.count(f"| {option} ") == 2
    page = (project.folder / "results" / "report" / "index.html").read_text()
    assert "Other evaluations of the same trained runs" in page
    assert "<small>weighted</small>" in page


def test_our_own_splits_stand_beside_the_published_ones(project):
    with (project.folder / "results" / "splits.csv").open(newline="") as file:
        names = list(dict.fromkeys(row["split"] for row in csv.DictReader(file)))
    assert names == [f"{kind}{n}" for kind in ("split", "ours") for n in range(3)]


def test_a_published_store_of_sound_is_fetched_and_may_lack_movies(project, site, tmp_path):
    store, heard = "trailers_a_logmel", sorted(MIDS)[:24]
    group = tmp_path / f"{store}.zarr"
    stores.create(group, {"num_features": 16, "input": "audio"})
    for mid in heard:
        stores.write(group, mid, np.ones((3, 16), np.float32), {})
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        tar.add(group, group.name)
    site.files[archive(store)] = packed.getvalue()
    config = {
        "backbones": {store: {"model": "logmel/8", "input": "audio"}},
        "runs": FEWER
        | dict.fromkeys(KEPT)
        | {"Heard": {"image": "trailers_i_resnet_fpc24", "audio": store}},
    }
    done = run(project, site, f"data/{store}.csv", **config)
    assert done.code == 0, done.text[-3000:]
    with (project.folder / "data" / f"{store}.csv").open(newline="") as table:
        assert [row["mid"] for row in csv.DictReader(table)] == heard
    planned = run(project, site, dry=True, **config)
    assert planned.code == 0 and planned.jobs["train_run"] == 3
    assert store not in planned.wildcards("fetch_store", "store")
    assert planned.jobs["extract_features"] == planned.jobs["detect_clips"] == 0
