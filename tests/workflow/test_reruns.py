"""Only what changed runs again. The tests share one project and stand in the order of its life."""

import csv
import os
import shutil
import time
from collections import Counter

import pytest

from trailers12k.common.movie import shard_of
from trailers12k.features import store_index
from trailers12k.features.store import movies
from trailers12k.jobs.outcome import read_outcome

from .conftest import IMAGE, TINY, VIDEO, Project
from .extraction import computed, kept

TOLD = {"summarize_results": 1, "draw_curves": 1, "draw_report": 1}
COMPARED = {"compare_rows": 1, "write_leaderboard": 1}
TAIL = {"score_runs": 1, "describe_run": 1, **COMPARED, **TOLD}
"""What follows whenever a run was trained again."""


@pytest.fixture(scope="module")
def project(tmp_path_factory, of_table) -> Project:
    """The built project of the table, copied: these tests change it."""
    return Project.copied(of_table.folder, tmp_path_factory.mktemp("life") / "project")


def rows_of(project):
    with (project.folder / "movies.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def write_rows(project, rows):
    with (project.folder / "movies.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def test_nothing_changed_nothing_runs(project):
    run = project.build()
    assert "Nothing to be done" in run.text
    assert not run.jobs


def test_a_new_movie_runs_its_shard_only_and_there_computes_itself_only(project):
    rows = rows_of(project)
    shard = shard_of("tt7654321", 2)
    trailers = project.folder / "build" / "ledger" / "trailers" / f"{shard}.csv"
    kept = trailers.read_text().count(",ok,")
    assert 0 < kept < len(rows)
    write_rows(project, [*rows, rows[0] | {"mid": "tt7654321", "title": "A new one"}])

    planned = project.build("--dry-run")
    run = project.build()
    assert (
        run.jobs
        == planned.jobs
        == Counter(
            list_movies=1,
            download_trailers=1,
            download_posters=1,
            detect_clips=1,
            extract_features=1,
            merge_clips=1,
            merge_store=2,
            merge_ledger=1,
            check_failures=1,
            build_metadata=1,
            make_splits=1,
            plot_splits=1,
            pack_store=2,
            map_features=2,
            flag_trailers=1,
            train_run=6,
            **TAIL,
        )
    )
    assert run.wildcards("extract_features", "shard") == {shard}
    for log in ("download_trailers", "detect_clips", "extract_features/all"):
        assert f"1 computed, {kept} kept" in project.log(f"{log}/{shard}.log")
    assert (project.folder / "data" / f"{IMAGE}.zarr" / "tt7654321").is_dir()


def test_a_movie_that_leaves_takes_its_features_along(project):
    write_rows(project, [row for row in rows_of(project) if row["mid"] != "tt7654321"])
    project.build()
    assert not (project.folder / "data" / f"{IMAGE}.zarr" / "tt7654321").exists()
    assert "tt7654321" not in (project.folder / "data" / "ledger.csv").read_text()


def test_a_setting_of_one_backbone_computes_that_backbone_and_its_runs(project):
    """The jobs of the other store are planned too, and put back what they made."""
    before = len(movies(project.folder / "data" / f"{IMAGE}.zarr"))
    project.config["backbones"][IMAGE]["image_frames"] = 2
    planned = project.build("--dry-run")
    run = project.build()
    shards = len(run.wildcards("extract_features", "shard"))
    assert (
        run.jobs
        == planned.jobs
        == Counter(
            extract_features=shards,
            merge_store=2,
            merge_ledger=1,
            check_failures=1,
            pack_store=2,
            map_features=2,
            flag_trailers=1,
            train_run=6,
            **TAIL,
            write_config=1,
        )
    )
    assert computed(project) == {IMAGE: before} and kept(project) == {VIDEO: before}
    costs = {
        run: read_outcome(project.folder / f"logs/train_run/{run}/split0.log").cost
        for run in ("image", "video")
    }
    assert costs["video"] and not costs["image"]


def test_another_genre_runs_splits_and_training_and_no_video(project):
    rows = rows_of(project)
    rows[0]["genres"] = "horror" if rows[0]["genres"] != "horror" else "drama"
    write_rows(project, rows)
    planned = project.build("--dry-run")
    run = project.build()
    assert (
        run.jobs
        == planned.jobs
        == Counter(
            list_movies=1,
            build_metadata=1,
            make_splits=1,
            plot_splits=1,
            flag_trailers=1,
            train_run=6,
            **TAIL,
        )
    )


def test_another_title_touches_neither_videos_nor_splits(project):
    rows = rows_of(project)
    rows[0]["title"] = "Another title"
    write_rows(project, rows)
    assert project.build().jobs == Counter(
        list_movies=1, build_metadata=1, flag_trailers=1, describe_run=1, draw_report=1
    )


def test_a_comment_in_the_package_or_a_new_mtime_of_a_script_runs_nothing(project):
    with (project.folder / "trailers12k/features/extraction.py").open("a") as file:
        file.write("# a remark\n")
    for script in (project.folder / "scripts").glob("*.py"):
        script.touch()
    (project.folder / "movies.csv").touch()
    assert "Nothing to be done" in project.build().text


def test_hosts_whose_clocks_disagree_run_nothing(project):
    """Half of the products come from a host that is an hour ahead, half from one that is behind.

    The times stay so in the tests below, whose jobs work on such products. Arrays of stores keep
    theirs: an index compares them with the times that the same host gave.
    """
    now = time.time()
    for top in ("build", "data", "results"):
        for number, path in enumerate(sorted((project.folder / top).rglob("*"))):
            if path.is_file() and path.name not in store_index.FILES:
                at = now + (3600 if number % 2 else -3600)
                os.utime(path, (at, at))
    assert "Nothing to be done" in project.build().text


def test_a_change_of_the_code_of_one_model_computes_its_features_again(project):
    store = project.folder / "data" / f"{VIDEO}.zarr"
    mid = next(path for path in store.glob("tt*"))
    before = (mid / ".zattrs").read_text(), (mid / "0.0").read_bytes()
    module = project.folder / "trailers12k/features/backbones/shufflenet3d.py"
    module.write_text(module.read_text() + "\n\nUNUSED = 1\n")
    project.build()
    assert computed(project).keys() == {VIDEO} and VIDEO not in kept(project)
    after = (mid / ".zattrs").read_text(), (mid / "0.0").read_bytes()
    assert before[0] != after[0], "the fingerprint names the version of the code"
    assert before[1] == after[1], "the code computes the same"


def test_a_store_deleted_by_hand_is_made_again(project):
    shutil.rmtree(project.folder / "data" / f"{VIDEO}.zarr")
    run = project.build()
    assert run.jobs["merge_store"] == 1 and run.jobs["extract_features"] == 0
    assert (project.folder / "data" / f"{VIDEO}.zarr" / ".zgroup").is_file()


def test_what_was_damaged_by_hand_in_a_store_is_made_again(project):
    """One movie deleted, one chunk cut short, one overwritten with as many other bytes.

    The last two in place, so that by the hard links the shards have lost them too.
    """

    def files():
        return {path: path.read_bytes() for path in sorted(store.rglob("*")) if path.is_file()}

    store = project.folder / "data" / f"{VIDEO}.zarr"
    before = files()
    gone, short, other = sorted(path.name for path in store.glob("tt*"))[:3]
    shutil.rmtree(store / gone)
    chunk = store / short / "0.0"
    os.truncate(chunk, chunk.stat().st_size // 2)
    with (store / other / "0.0").open("r+b") as file:
        file.seek(-8, os.SEEK_END)
        file.write(b"damaged!")
    planned = project.build("--dry-run")
    run = project.build()
    assert run.jobs == planned.jobs and run.jobs["merge_store"] == 2
    damaged = Counter(shard_of(mid, 2) for mid in (short, other))
    assert run.wildcards("extract_features", "shard") == set(damaged)
    for shard, number in damaged.items():
        assert computed(project, shard) == {VIDEO: number}
    assert "3 added or replaced" in project.log(f"merge_store/{VIDEO}.log")
    assert files() == before
    assert "Nothing to be done" in project.build().text


def test_a_figure_that_failed_and_was_mended_reaches_the_table(project):
    def mean():
        with (project.folder / "results" / "summary.csv").open(newline="") as file:
            return {row["run"]: float(row["map"]) for row in csv.DictReader(file)}["image"]

    before = mean()
    project.edit("trailers12k/evaluation/metrics.py", '"map": genres.mean(),', '"map": 1 / 0,')
    assert project.run().code != 0
    project.edit("trailers12k/evaluation/metrics.py", '"map": 1 / 0,', '"map": genres.mean() / 2,')
    assert project.build().jobs == Counter(TAIL)
    assert mean() == pytest.approx(before / 2, abs=0.02)


def test_data_build_and_results_may_lie_in_another_folder(tmp_path):
    """Two of them on other disks even, by links; all that is read lies in the project."""
    project = Project(tmp_path / "project", TINY)
    there, disk = tmp_path / "elsewhere", tmp_path / "disk"
    there.mkdir()
    for name in ("data", "build"):
        (disk / name).mkdir(parents=True)
        (there / name).symlink_to(disk / name)
    targets = ["clips", "splits", "--directory", str(there)]
    before = {path for path in project.folder.rglob("*") if "__pycache__" not in path.parts}
    run = project.build(*targets, env={"PYTHONPATH": ""})
    assert run.jobs["detect_clips"] == 2
    assert (disk / "data" / "clips.csv").stat().st_size > 1000
    assert (there / "results" / "splits.csv").is_file()
    after = {path for path in project.folder.rglob("*") if "__pycache__" not in path.parts}
    assert after == before
    assert "Nothing to be done" in project.build(*targets, env={"PYTHONPATH": ""}).text


def test_after_a_failed_job_no_stale_product_counts_as_up_to_date(project, tmp_path):
    """Snakemake issue 3808: without the ledgers in the targets, the mended run skips this store."""
    project.config["backbones"][IMAGE]["image_frames"] = 3
    module = project.folder / "trailers12k/features/store.py"
    good = module.read_text()
    project.edit(
        "trailers12k/features/store.py", "    array[:] = values\n", "    array[:] = 1 / 0\n"
    )
    assert project.run().code != 0
    last = project.log("extract_features/all/000.log").splitlines()[-1]
    assert last.endswith("ZeroDivisionError: division by zero")
    assert not (project.folder / "build" / "ledger" / IMAGE / "000.csv").exists()
    module.write_text(good)
    mended = project.build()
    assert computed(project).keys() == {IMAGE}
    assert mended.wildcards("train_run", "run") >= {"image"}

    clean = Project(tmp_path / "clean", TINY)
    clean.config = project.config
    shutil.copy(project.folder / "movies.csv", clean.folder)
    shutil.copytree(
        project.folder / "trailers12k", clean.folder / "trailers12k", dirs_exist_ok=True
    )
    clean.build()
    # How often a movie was tried is the one thing that the past may change.
    mended_products, clean_products = project.products(costs=False), clean.products(costs=False)
    for products in (mended_products, clean_products):
        rows = list(csv.reader(products.pop("data/ledger.csv").decode().splitlines()))
        attempts = rows[0].index("attempts")
        products["ledger"] = [row[:attempts] + row[attempts + 1 :] for row in rows]
    assert mended_products.keys() == clean_products.keys()
    differ = [name for name in clean_products if mended_products[name] != clean_products[name]]
    assert not differ
