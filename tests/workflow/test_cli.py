"""The command `trailers12k` in the folder of a collection outside of the clone."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from trailers12k.common.files import read_csv, write_csv
from trailers12k.movies.sources import sample
from trailers12k.movies.sources.sample_rendering import BROKEN, render
from trailers12k.video.clips import frame_times
from trailers12k.video.reader import read_frames

from .conftest import ROOT
from .test_places import AS_OTHERS

COMMAND = Path(sys.executable).with_name("trailers12k")
STORE = "trailers_i_efficientnet_fpc24"
SMALL = "image_frames: 1\ntraining: {epochs: 3, snippet: 5}\n"
NO_DVC = Path(__file__).with_name("no_dvc")
"""Holds a package `dvc` that ends the process that imports it."""
IGNORED = (".snakemake", "__pycache__")


def call(
    folder: Path, *arguments: str | Path, before: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """Call the command in a folder, with the package and the rules of this clone, without DVC."""
    return subprocess.run(
        [*before, COMMAND, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": f"{NO_DVC}:{ROOT}"},
        capture_output=True,
        text=True,
    )


def succeed(folder: Path, *arguments: str | Path) -> str:
    """The output of a command that must succeed."""
    done = call(folder, *arguments)
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
    return done.stdout + done.stderr


def files(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file of a collection: its path -> its size and modification time in ns."""
    return {
        str(path): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not set(IGNORED) & set(path.relative_to(folder).parts)
    }


@pytest.fixture(scope="module")
def collection(tmp_path_factory) -> Path:
    """A collection of local videos in a folder of its own, run to its end. For reading.

    Its configuration is the one that `init` writes, edited as its comments say.
    """
    folder = tmp_path_factory.mktemp("cli") / "mine"
    succeed(folder.parent, "init", "mine")
    config = folder / "config.yaml"
    text = config.read_text().replace("[movies.csv, search]", "movies.csv")
    config.write_text(text.replace("local_files: false", "local_files: true") + SMALL)
    movies = [each for each in sample.movies(10, 1, "videos") if each.mid not in BROKEN.values()]
    for movie in movies:
        render(movie, folder / "videos", 1)
    rows = (asdict(movie) | {"genres": "|".join(movie.genres)} for movie in movies)
    columns = ["mid", "title", "year", "genres", "trailer_url", "poster_url"]
    write_csv(
        folder / "movies.csv", columns, ({name: row[name] for name in columns} for row in rows)
    )
    succeed(folder, "run", "--cores", "2")
    return folder


@pytest.fixture
def copy(collection, tmp_path) -> Path:
    """A copy of the collection, to be changed."""
    return shutil.copytree(collection, tmp_path / "copy")


def test_a_finished_run_has_nothing_to_do(collection):
    assert (collection / "results" / "summary.md").is_file()
    assert "Nothing to be done" in succeed(collection, "run", "-n")


def test_without_versions_nothing_of_git_or_dvc_is_made_or_mentioned(collection):
    """The whole run, too, was made without DVC."""
    imported = [sys.executable, "-c", "import dvc"]
    assert subprocess.run(imported, env=os.environ | {"PYTHONPATH": str(NO_DVC)}).returncode
    for command in (["run", "-n"], ["status"], ["verify"]):
        assert "dvc" not in succeed(collection, *command).lower()
    names = {path.name for path in collection.iterdir()}
    assert not names & {".git", ".dvc", ".dvcignore", "dvc.yaml", ".gitignore"}


def test_arguments_of_run_are_passed_to_snakemake(collection):
    text = succeed(collection, "run", "-n", "clips", "--forcerun", "merge_clips", "-q", "rules")
    assert re.search(r"^clips +1 +requested$", text, re.M)
    assert not re.search(r"^training", text, re.M)


def test_the_exit_code_of_run_is_that_of_snakemake(collection):
    assert call(collection, "run", "-n", "no_such_target").returncode == 1


def test_a_fault_of_the_table_that_init_writes_is_found_by_a_dry_run(tmp_path):
    """There another source, `search`, fills gaps."""
    succeed(tmp_path, "init", "mine")
    table = tmp_path / "mine" / "movies.csv"
    succeed(table.parent, "run", "-n", "-q")
    table.write_text(table.read_text().replace("action|thriller", "action|Thriller"))
    run = call(table.parent, "run", "-n", "-q")
    assert run.returncode == 1
    errors = [line for line in run.stderr.splitlines() if "rror" in line]
    assert len(errors) == 1
    assert errors[0].startswith("error: movies.csv, line 6: genres: 'Thriller' is not allowed")


def test_reading_commands_change_no_file(collection):
    before = files(collection)
    status = succeed(collection, "status")
    assert re.search(rf"^{STORE} +\d+ +0 +\d+ +0 ", status, re.M)
    described = succeed(collection, "stores", "describe", f"data/{STORE}.zarr")
    assert "num_features: 1280" in described
    assert "no faults" in succeed(collection, "stores", "verify", f"data/{STORE}.zarr")
    assert files(collection) == before


def test_a_run_that_refuses_a_product_has_removed_none(copy):
    """Snakemake removes the outputs of a job before it starts the job, which then refuses."""
    table = copy / "data" / "mtgc.csv"
    table.write_text(table.read_text().replace(",2,", ",1,", 1))
    before = files(copy)
    run = call(copy, "run", "--cores", "2")
    assert run.returncode == 1 and "error: data/mtgc.csv is damaged or was edited" in run.stderr
    assert files(copy) == before


def test_a_write_protected_product_is_named_in_one_line(copy):
    (copy / "results" / "summary.csv").chmod(0o444)
    words = ["run", "results/summary.csv", "--forcerun", "summarize_results", "--cores", "2"]
    run = call(copy, *words, before=AS_OTHERS)
    assert run.returncode == 1 and "Traceback" not in run.stderr
    assert [line for line in run.stderr.splitlines() if "rror" in line] == [
        "error: results/summary.csv cannot be written (no permission); change its permissions, "
        "then run again"
    ]


def test_a_damaged_array_is_found_repaired_and_computed_again(copy):
    store = copy / "data" / f"{STORE}.zarr"
    mid = read_csv(store.with_suffix(".csv"))[0]["mid"]
    before = (store / mid / "0.0").read_bytes()
    (store / mid / "0.0").write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    damaged = files(copy)
    done = call(copy, "stores", "verify", f"data/{STORE}.zarr")
    assert done.returncode == 1 and done.stdout.startswith(f"{mid}: ")
    assert files(copy) == damaged
    assert f"removed {mid}" in succeed(copy, "stores", "verify", "--repair", f"data/{STORE}.zarr")
    assert not (store / mid).exists()
    succeed(copy, "run", "features", "--cores", "2")
    assert "no faults" in succeed(copy, "stores", "verify", f"data/{STORE}.zarr")
    assert (store / mid / "0.0").read_bytes() == before


def test_a_clip_is_cut_to_its_exact_frames(collection, tmp_path, read_clip: Callable):
    from trailers12k.video.clip_table import read_clips

    mid, clips = next(iter(read_clips(collection / "data" / "clips.csv").items()))
    number = len(clips) - 1
    out = tmp_path / "clip.mp4"
    text = succeed(collection, "clips", "cut", mid, str(number), out)
    assert f"24 frames of {mid}" in text
    ledger = next((collection / "build" / "ledger" / "trailers").glob("*.csv"))
    row = next(row for row in read_csv(ledger) if row["mid"] == mid)
    times = frame_times(clips[number])
    frames = read_frames(collection / row["file"], row["decoder"], times)
    written = read_clip(out)
    for expected, frame in zip(frames, written, strict=True):
        assert np.abs(expected.astype(int) - frame).mean() < 3


@pytest.fixture
def read_clip() -> Callable[[Path], list[np.ndarray]]:
    """Reads all frames of a video."""
    import av

    def read(path: Path) -> list[np.ndarray]:
        with av.open(str(path)) as container:
            return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]

    return read


def test_what_cannot_be_cut_is_an_error_in_one_line(collection, tmp_path):
    out = tmp_path / "clip.mp4"
    mid = read_csv(collection / "data" / "clips.csv")[0]["mid"]
    for arguments, message in {
        ("tt0000001", "0"): "tt0000001 has no clips in data/clips.csv",
        (mid, "9999"): f"{mid} has ",
        ("../x", "0"): "'../x' is not a movie id",
    }.items():
        done = call(collection, "clips", "cut", *arguments, out)
        assert done.returncode == 2 and done.stderr.startswith(f"error: {message}")
        assert len(done.stderr.splitlines()) == 1 and not out.exists()


def test_the_genres_of_a_file_are_predicted_and_printed(copy):
    # A name that Snakemake would read as a number.
    shutil.copy(next((copy / "videos").rglob("*.mp4")), copy / "1")
    text = succeed(copy, "predict", "1", "--cores", "2", "--config", "retry=none")
    assert re.search(r"^\| thriller +\| +[\d.]+ % \|", text, re.M)
    assert list((copy / "results" / "predictions").glob("1-*.json"))


def test_the_page_of_the_review_is_written_and_its_path_printed(copy):
    page = copy / "results" / "review" / "index.html"
    done = call(copy, "review", "--cores", "2")
    assert done.returncode == 0, done.stderr[-5000:]
    assert done.stdout.splitlines()[-1] == f"Open this page in a browser: {page}"
    assert page.is_file()


def test_a_folder_without_a_collection_is_refused(tmp_path):
    done = call(tmp_path, "run")
    assert done.returncode == 2 and "no config.yaml in this folder" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_settings_of_another_collection_are_refused(copy):
    (copy / "config.yaml").write_text("movies: sample\n")
    for arguments in (["status"], ["run", "-n"]):
        done = call(copy, *arguments)
        assert done.returncode != 0
        assert "this folder holds a collection of your own movies" in done.stdout + done.stderr
