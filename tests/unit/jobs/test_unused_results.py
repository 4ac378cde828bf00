"""Kept results that nothing uses any more."""

import json
import os
import time
from pathlib import Path

import pytest

from trailers12k.common.content_hashes import content_of
from trailers12k.jobs.result_cache import CURRENT, RESULTS
from trailers12k.jobs.unused_results import Unused, remove, touch_current, unused_results

DAY = 86400
FILES = Path("build/cache/files")


def aged(path: Path, days: float) -> Path:
    os.utime(path, (time.time() - days * DAY,) * 2)
    return path


def entry(job: str, key: str, days: float, outputs=(), made=(), needed=()) -> Path:
    """An entry of this age, with the digests of its outputs, and side files that are there.

    needed: side files that no reader can make again.
    """
    path = RESULTS / job / f"{key}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    FILES.mkdir(exist_ok=True)
    for digest in outputs:
        (FILES / digest).write_text("x")
        aged(FILES / digest, 99)
    content = {
        "cost": {},
        "outputs": {f"out/{number}": digest for number, digest in enumerate(outputs)},
        "made": {name: content_of(name) for name in (*made, *needed)},
        "made_on_demand": list(made),
    }
    path.write_text(json.dumps(content))
    return aged(path, days)


@pytest.fixture(autouse=True)
def run_folder(tmp_path, monkeypatch) -> Path:
    (tmp_path / "run").mkdir()
    monkeypatch.chdir(tmp_path / "run")
    return tmp_path / "run"


def side_file(name: str) -> str:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(name)
    return name


def names(unused: list[Unused]) -> set[str]:
    return {each.path.as_posix() for each in unused}


def here(parts: tuple[str, ...]) -> bool:
    return "gone" not in parts


def test_without_a_cache_there_is_nothing():
    assert unused_results(here) == []
    touch_current([("train_run", "logs/train_run/a/split0.log")])
    assert not Path("build").exists()


def test_old_results_go_but_for_the_newest_of_a_present_store_or_run():
    old, older = "a" * 64, "b" * 64
    entry("train_run/here/split0", "1", 40, [old])
    entry("train_run/here/split0", "2", 50, [old, older])
    dropped = entry("train_run/gone/split0", "3", 40, ["c" * 64, old])
    (dropped.parent / CURRENT).write_text(dropped.name)
    entry("train_run/gone/split1", "4", 20, ["d" * 64])
    before = sorted(Path("build").rglob("*"))
    found = unused_results(here)
    assert sorted(Path("build").rglob("*")) == before, "it only lists"
    assert names(found) == {
        "build/cache/results/train_run/here/split0/2.json",
        "build/cache/results/train_run/gone/split0/3.json",
        f"build/cache/files/{older}",
        f"build/cache/files/{'c' * 64}",
    }
    assert all(each.size and each.why for each in found)
    remove(found)
    assert unused_results(here) == []
    assert not (RESULTS / "train_run/gone/split0").exists()
    assert {path.name for path in FILES.iterdir()} == {old, "d" * 64}


def test_side_files_go_with_the_last_result_that_made_them():
    gone, shared = side_file("build/packed/gone.npy"), side_file("build/sheets/tt1.jpg")
    changed, needed = side_file("build/sheets/tt2.jpg"), side_file("build/stores/gone/000.csv")
    entry("pack_store/gone", "1", 40, made=[gone, shared, changed], needed=[needed])
    entry("detect_clips/000", "1", 1, made=[shared])
    Path(changed).write_text("of another result")
    found = unused_results(here)
    assert names(found) == {"build/cache/results/pack_store/gone/1.json", gone}


@pytest.mark.parametrize(
    "name", ["../outside.txt", "data/store.csv", "build/cache/files/x", "build/link/a", "ABSOLUTE"]
)
def test_no_file_outside_build_is_removed_whatever_an_entry_says(run_folder, name):
    (run_folder.parent / "outside.txt").write_text("mine")
    (run_folder.parent / "a").write_text("mine")
    Path("build").mkdir()
    Path("build/link").symlink_to(run_folder.parent, target_is_directory=True)
    name = str(run_folder.parent / "a") if name == "ABSOLUTE" else name
    if not Path(name).exists():
        side_file(name)
    path = entry("pack_store/gone", "1", 40, made=[name])
    assert names(unused_results(here)) == {path.as_posix()}


@pytest.mark.parametrize(
    "text", ["", "[]", '{"outputs": 1, "made": [1]}', '{"outputs": {"a": ["x"]}}', "[" * 100_000]
)
def test_damaged_entries_go_like_others(text):
    path = entry("train_run/gone/split0", "1", 0)
    path.write_text(text)
    assert unused_results(here) == []
    aged(path, 31)
    assert names(unused_results(here)) == {path.as_posix()}


def test_links_are_left_alone(run_folder):
    outside = run_folder.parent / "outside"
    outside.mkdir()
    (outside / "1.json").write_text("{}")
    aged(outside / "1.json", 99)
    RESULTS.mkdir(parents=True)
    (RESULTS / "train_run").symlink_to(outside, target_is_directory=True)
    assert unused_results(lambda parts: False) == []
    (RESULTS / "train_run").unlink()
    RESULTS.rmdir()
    RESULTS.symlink_to(outside, target_is_directory=True)
    assert unused_results(lambda parts: False) == []


def test_the_end_of_a_run_notes_which_results_are_in_use():
    first = entry("train_run/here/split0", "1", 40)
    second = entry("train_run/here/split0", "2", 50)
    touch_current([("train_run", "logs/train_run/here/split0.log"), ("other", "logs/other.log")])
    assert time.time() - first.stat().st_mtime < 60
    assert time.time() - second.stat().st_mtime > 49 * DAY


def test_the_result_that_the_outputs_have_stays_whatever_the_times_say():
    current, later = (entry("train_run/here/split0", key, 40) for key in "12")
    (current.parent / CURRENT).write_text(current.name)
    os.utime(later, (time.time() - 39 * DAY,) * 2)
    found = unused_results(here)
    assert names(found) == {later.as_posix()}
    remove(found)
    assert current.exists()
    touch_current([("train_run", "logs/train_run/here/split0.log")])
    assert time.time() - current.stat().st_mtime < 60
