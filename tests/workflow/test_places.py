"""Folders that cannot be written, and what is in the place of one: one line, nothing is made."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import ROOT

AS_OTHERS = (
    ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
)
"""Before a command: root, too, may then write only what permissions allow."""
BIN = Path(sys.executable).parent
PLAIN = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile"]


def call(*command: str | Path) -> tuple[int, list[str], str]:
    """Exit code, lines that name an error, and all that was printed."""
    done = subprocess.run(
        [*AS_OTHERS, *command],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    text = done.stdout + done.stderr
    return done.returncode, [line for line in text.splitlines() if "rror" in line], text


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """The folder of a collection before its first run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text("movies: sample\nsample: {movies: 10}\n")
    return tmp_path


def read_only(name: str) -> None:
    Path(name).mkdir(parents=True, exist_ok=True)
    Path(name).chmod(0o555)


@pytest.mark.parametrize(
    ("name", "prepare", "message"),
    [
        (".", read_only, "cannot be written (no permission); run in a folder that can"),
        (".snakemake", read_only, "cannot be written (no permission); run in a folder that can"),
        ("logs", lambda name: Path(name).touch(), "logs is a file, but a run makes a folder"),
        ("build", lambda name: Path(name).symlink_to("nowhere"), "link to 'nowhere', which does"),
    ],
    ids=["folder", "snakemake", "file", "link"],
)
def test_a_dry_run_ends_in_one_line(folder, name, prepare, message):
    prepare(name)
    for command in ([BIN / "trailers12k", "run", "-n"], [*PLAIN, "-n", "metadata"]):
        code, errors, text = call(*command)
        assert code != 0 and len(errors) == 1 and "Traceback" not in text, text
        assert errors[0].startswith("error: ") and message in errors[0]
    code, _, text = call(BIN / "trailers12k", "status")
    assert code == 0, text
    Path(name).chmod(0o755) if Path(name).is_dir() else None


@pytest.mark.parametrize("name", ["data", "build/records"])
def test_a_run_that_cannot_write_its_products_ends_before_its_first_job(folder, name):
    read_only(name)
    for command in ([BIN / "trailers12k", "run"], PLAIN):
        code, errors, text = call(*command, "metadata", "--cores", "1")
        assert code == 1 and len(errors) == 1 and "Traceback" not in text, text
        assert errors[0].startswith(f"error: {folder / name} cannot be written (no permission)")
    assert not (folder / "logs").exists() and not list((folder / ".snakemake/locks").glob("*"))


def test_status_writes_nothing_and_a_dry_run_only_to_the_folder_of_snakemake(folder):
    for command, written in ((["status"], []), (["run", "-n"], [".snakemake"])):
        code, _, text = call(BIN / "trailers12k", *command)
        assert code == 0, text
        assert sorted(os.listdir(folder)) == [*written, "config.yaml"]


def test_commands_that_write_end_in_one_line(folder):
    read_only(".")
    for words in (["init", "new"], ["stages"], ["run", "--configfile", "none.yaml"]):
        code, errors, text = call(BIN / "trailers12k", *words)
        assert code == 2 and text.startswith("error: ") and len(text.splitlines()) == 1, text
    folder.chmod(0o755)
    code, _, text = call(BIN / "trailers12k", "run", "-n", "--configfile", "none.yaml")
    assert code == 2
    assert text == "error: the configuration file none.yaml does not exist; correct the path\n"
