"""The wheel: what it holds, and the command run from it in an environment without the clone."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import trailers12k

from . import linked
from .conftest import ROOT

PACKAGES = ["trailers12k", "snakemake_logger_plugin_trailers12k"]
PROJECT_FILES = ["pyproject.toml", "README.md", "LICENSE"]
RECORD = Path(__file__).parent / "record"


def run(*command: str | Path, folder: Path) -> subprocess.CompletedProcess:
    """Run a command where neither the clone nor this environment can be imported."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, built from a copy of the package."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in PROJECT_FILES:
        shutil.copy(ROOT / name, source)
    ignored = shutil.ignore_patterns("__pycache__")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, source / package, ignore=ignored)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    built = run(*pip, "--wheel-dir", folder, source, folder=folder)
    assert built.returncode == 0, built.stdout + built.stderr
    # A wheel built in a run's folder must leave its products alone.
    assert not (source / "build").exists()
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """The bin/ of an environment that holds the wheel and the packages of its set `tables`."""
    prefix = tmp_path_factory.mktemp("installed")
    metadata = f"trailers12k-{trailers12k.__version__}.dist-info"
    requires = PathDistribution(zipfile.Path(wheel, f"{metadata}/")).requires
    needed = []
    for requirement in map(Requirement, requires):
        if requirement.marker is None or requirement.marker.evaluate({"extra": "tables"}):
            requirement.marker = None
            needed.append(str(requirement))
    linked.make(prefix, needed)
    python = prefix / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps"]
    done = run(*pip, "--no-index", wheel, folder=prefix)
    assert done.returncode == 0, done.stdout + done.stderr
    return prefix / "bin"


def test_the_wheel_holds_every_file_of_the_package(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    found = (path for package in PACKAGES for path in (ROOT / package).rglob("*"))
    files = [path for path in found if path.is_file()]
    wanted = {path.relative_to(ROOT).as_posix() for path in files if path.suffix != ".pyc"}
    assert wanted - names == set()
    assert "trailers12k/py.typed" in names
    assert any("/templates/" in name for name in names)
    # Neither tests nor scripts.
    assert {name.split("/")[0].split("-")[0] for name in names} == set(PACKAGES)


def test_the_wheel_holds_the_schema(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert [name for name in names if name.endswith(".schema.json")]


def test_the_installed_package_has_its_version_and_no_clone(installed):
    code = "import trailers12k; print(trailers12k.__version__, trailers12k.__file__)"
    done = run(installed / "python", "-c", code, folder=installed)
    version, file = done.stdout.split()
    assert version == trailers12k.__version__
    assert Path(file).is_relative_to(installed.parent)


def test_init_from_the_wheel_makes_a_collection(installed, tmp_path):
    done = run(installed / "trailers12k", "init", "mine", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "mine" / "config.yaml").is_file()
    assert (tmp_path / "mine" / "movies.csv").read_text().startswith("mid,")
    assert not (tmp_path / "mine" / ".git").exists()


def test_splits_from_the_wheel_assign_every_movie(installed, tmp_path):
    rows = [f"tt{number:07},{number % 2},{number // 2 % 2}" for number in range(1, 41)]
    (tmp_path / "labels.csv").write_text("\n".join(["mid,action,drama", *rows]) + "\n")
    command = ["splits", "labels.csv", "out.csv", "--seed", "1"]
    done = run(installed / "trailers12k", *command, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    header, *lines = (tmp_path / "out.csv").read_text().splitlines()
    assert header == "mid,action,drama,split0,split1,split2"
    assert [line.split(",")[0] for line in lines] == [row.split(",")[0] for row in rows]


def test_stores_describe_from_the_wheel_reads_a_store(installed, tmp_path):
    name = "trailers_i_swin_fpc24.zarr"
    with tarfile.open(RECORD / f"{name}.tar.gz") as archive:
        archive.extractall(tmp_path)
    done = run(installed / "trailers12k", "stores", "describe", name, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"{name}: " in done.stdout and "num_features: 14" in done.stdout


def test_run_from_the_wheel_says_in_one_line_which_clone_to_make(installed, tmp_path):
    done = run(installed / "trailers12k", "run", folder=tmp_path)
    assert done.returncode != 0
    assert len(done.stderr.splitlines()) == 1 and "clone" in done.stderr
