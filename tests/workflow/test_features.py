"""Features through the real rules: backbones by a line of the config, weights, kills."""

import csv
import json
import os
import shutil
import signal
import time
from pathlib import Path

import pytest
import torch
from torchvision.models import get_model

from trailers12k.features import integrity
from trailers12k.features import store as stores
from trailers12k.features.backbones.calibrations import FOLDER, calibration_of
from trailers12k.features.backbones.spec import BackboneSpec
from trailers12k.jobs import ledger
from trailers12k.versions.run_state import state_files
from trailers12k.video import contact_sheets as sheets

from .conftest import IMAGE, VIDEO, Project
from .extraction import computed, kept

OWN, FROM_TIMM, FROM_VIDEO = "trailers_own", "trailers_i_mobilenet", "trailers_k_mc3"
FROM_SOUND = "trailers_a_logmel"


@pytest.fixture
def project(tmp_path, sample) -> Project:
    """The built sample, copied: these tests change it."""
    return Project.copied(sample.folder, tmp_path / "project")


def written(project: Project, store: str) -> dict:
    folder = project.folder / "data" / f"{store}.zarr"
    return {path: path.stat().st_mtime_ns for path in folder.glob("tt*/*")}


def calibrations(project: Project) -> list[Path]:
    return sorted((project.folder / FOLDER).iterdir())


def ledger_of(project: Project, stage: str) -> list[dict[str, str]]:
    paths = sorted((project.folder / "build/ledger" / stage).glob("*.csv"))
    return [row for path in paths for row in ledger.read_shard(path)]


def test_the_jobs_read_the_statistics_that_one_job_made(sample, monkeypatch):
    monkeypatch.chdir(sample.folder)
    assert len(calibrations(sample)) == 2
    for store in (IMAGE, VIDEO):
        recipe = stores.attributes(Path(f"data/{store}.zarr"))["determined_by"]
        spec = BackboneSpec(**recipe["spec"])
        assert calibration_of(spec, recipe["seed"], recipe["code"]).read()


def test_a_new_line_makes_a_new_store_and_leaves_the_others_alone(project):
    before = written(project, IMAGE), written(project, VIDEO)
    calibrated = {path: path.stat().st_mtime_ns for path in calibrations(project)}
    project.config["backbones"] |= {
        FROM_TIMM: {
            "model": "timm/mobilenetv3_small_050.lamb_in1k",
            "input": "frames",
            "batch": 8,
            "size": 64,
        },
        FROM_VIDEO: {
            "model": "torchvision/mc3_18.KINETICS400_V1",
            "input": "clips",
            "batch": 1,
            "size": 48,
        },
        FROM_SOUND: {"model": "logmel/8", "input": "audio"},
    }
    run = project.build("features", "write_config")
    movies = len(stores.movies(project.folder / "data" / f"{IMAGE}.zarr"))
    heard = len(stores.movies(project.folder / "data" / f"{FROM_SOUND}.zarr"))
    silent = [row for row in ledger_of(project, FROM_SOUND) if row["reason"] == "no_sound"]
    assert heard and silent and heard + len(silent) == movies
    assert computed(project) == {FROM_TIMM: movies, FROM_VIDEO: movies, FROM_SOUND: heard}
    assert kept(project) == {IMAGE: movies, VIDEO: movies}
    assert run.jobs["download_trailers"] == run.jobs["detect_clips"] == 0
    assert (written(project, IMAGE), written(project, VIDEO)) == before
    assert run.jobs["make_random_weights"] == 1 and len(calibrations(project)) == 4
    assert {path: path.stat().st_mtime_ns for path in calibrated} == calibrated
    for store, features in ((FROM_TIMM, 1024), (FROM_VIDEO, 512)):
        data = project.folder / "data"
        assert stores.attributes(data / f"{store}.zarr")["num_features"] == features
        assert stores.movies(data / f"{store}.zarr") == stores.movies(data / f"{IMAGE}.zarr")
    for store in (FROM_TIMM, FROM_VIDEO, FROM_SOUND):
        tables = data / f"{store}.csv", data / "clips.csv"
        assert integrity.verify(data / f"{store}.zarr", *tables) == []
    # What changes no result makes no job run but the one that writes down the settings.
    project.config["backbones"][FROM_TIMM]["batch"] = 3
    project.config["backbones"][FROM_SOUND]["batch"] = 1
    project.config["device"] = "cpu"
    project.config["weights_from"] = "elsewhere"
    assert set(project.build("features", "write_config").jobs) == {"write_config"}


def test_pretrained_weights_are_fetched_checked_and_followed(project, tmp_path):
    spec = {"model": "torchvision/shufflenet_v2_x0_5", "input": "frames", "batch": 8, "size": 64}
    file = tmp_path / "own.pth"
    project.config["backbones"] |= {OWN: spec | {"weights": "pretrained", "file": str(file)}}
    run = project.run("weights")
    assert run.code != 0 and f"ERROR weights are missing: backbone {spec['model']}" in run.text
    run = project.run("features")
    assert run.code != 0 and "Traceback" not in run.text
    assert f"ERROR {OWN} has no weights: " in run.text and f"there is no file {file}" in run.text
    with (project.folder / "build/ledger" / OWN / "000.csv").open(newline="") as table:
        reasons = {row["reason"] for row in csv.DictReader(table)}
    assert reasons <= {"no_weights", "no_trailer"} and "no_weights" in reasons
    for store in (IMAGE, VIDEO):
        assert (project.folder / "data" / f"{store}.csv").exists(), "the other stores are finished"
    assert not computed(project)
    torch.save({"other": torch.zeros(1)}, file)
    run = project.run("features")
    assert run.code != 0 and "does not hold its weights" in run.text and not computed(project)

    torch.manual_seed(0)
    torch.save(get_model("shufflenet_v2_x0_5").state_dict(), file)
    run = project.build("features")
    assert run.jobs["fetch_weights"] == 1 and computed(project).keys() == {OWN}
    (path,) = (project.folder / "build" / "weights").glob("torchvision*.json")
    record = json.loads(path.read_text())
    store = project.folder / "data" / f"{OWN}.zarr"
    told = stores.attributes(store)
    assert told["pretrained"] and told["weights_sha256"] == record["sha256"]

    first = stores.read(store, stores.movies(store)[0])
    torch.manual_seed(1)
    torch.save(get_model("shufflenet_v2_x0_5").state_dict(), file)
    project.build("features")
    assert computed(project).keys() == {OWN} and OWN not in kept(project)
    assert (stores.read(store, stores.movies(store)[0]) != first).any()
    assert "Nothing to be done" in project.build("features").text


def test_other_groups_of_stores_compute_nothing(project):
    expected = project.products()
    for groups, expected_rules in (
        ("each", {f"extract_{IMAGE}", f"extract_{VIDEO}"}),
        ([[VIDEO, IMAGE]], {"extract_group1"}),
        ("all", {"extract_features"}),
    ):
        project.config["features"] = {"groups": groups}
        shutil.rmtree(project.folder / "logs" / "extract_features")
        run = project.build("features")
        assert {rule for rule in run.jobs if rule.startswith("extract_")} == expected_rules
        assert not computed(project)
        assert project.products() == expected
        assert "Nothing to be done" in project.build("features").text


def test_after_kill_9_the_stores_are_those_of_an_undisturbed_run(project):
    expected = project.products()
    for store in (IMAGE, VIDEO):
        shutil.rmtree(project.folder / "build" / "features" / store)
        shutil.rmtree(project.folder / "build" / "ledger" / store)
        shutil.rmtree(project.folder / "data" / f"{store}.zarr")
        (project.folder / "data" / f"{store}.csv").unlink()
    for _ in range(2):
        there = list(project.folder.glob("build/features/*/*.zarr/tt*"))
        running = project.start("features")
        while running.poll() is None:
            if len(list(project.folder.glob("build/features/*/*.zarr/tt*"))) > len(there) + 1:
                break
            time.sleep(0.01)
        assert running.poll() is None, "killed in the middle"
        os.killpg(running.pid, signal.SIGKILL)
        running.communicate()
        project.run("--unlock")
    project.build("features")
    products = project.products()
    assert products.keys() == expected.keys()
    assert [name for name in products if products[name] != expected[name]] == []


def test_the_ledger_tells_what_found_the_shots(project):
    with (project.folder / "data" / "ledger.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["stage"] == "clips"]
    done = [row for row in rows if row["status"] == "ok"]
    assert done and all(row["tool"].startswith("PySceneDetect") for row in done)


def test_every_trailer_has_a_contact_sheet_and_none_is_part_of_the_state(sample, monkeypatch):
    folder, found = sample.folder, []
    for path in sorted((folder / "build/ledger/clips").glob("*.csv")):
        found += [row for row in ledger.read_shard(path) if row["status"] == "ok"]
    for row in found:
        cells = sheets.cells(folder / "build/sheets" / f"{row['mid']}.jpg", int(row["shots"]))
        assert len(cells) == int(row["shots"])
        assert 0 <= float(row["black"]) <= 1 and 0 <= float(row["still"]) <= 1
    monkeypatch.chdir(folder)
    names = [path.as_posix() for path in state_files()]
    assert "build/clips/000.csv" in names and not any("sheets" in name for name in names)
