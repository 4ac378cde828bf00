"""What is checked before Snakemake starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from trailers12k.cli import snakemake
from trailers12k.common.errors import UserError


@pytest.mark.parametrize(
    "arguments",
    [["-n", "--directory", "there"], ["--directory=there"], ["-d", "there"], ["-dthere"]],
)
def test_the_folder_of_the_run_is_checked_not_the_current_one(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert snakemake.run_folder(arguments) == Path("there")
    with pytest.raises(UserError, match="the folder there does not exist"):
        snakemake.check_folder(arguments)
    (tmp_path / "there").mkdir()
    with pytest.raises(UserError, match="there is no config.yaml"):
        snakemake.check_folder(arguments)
    (tmp_path / "there/config.yaml").write_text("movies: sample\n")
    snakemake.check_folder(arguments)
    with pytest.raises(UserError, match="there is no config.yaml"):
        snakemake.check_folder(["clips", "--dry-run"])


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("pipe", "is a device, a pipe"),
        ("/dev/zero", "is a device, a pipe"),
        ("folder", "is a fold"),
    ],
)
def test_a_configuration_that_is_no_file_is_named(tmp_path, monkeypatch, name, kind):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    Path("folder").mkdir()
    Path("config.yaml").write_text("movies: sample\n")
    with pytest.raises(UserError, match=f"^the configuration file {name} {kind}"):
        snakemake.check_folder(["-n", "--configfile", name])
    Path("config.yaml").unlink()
    Path("config.yaml").symlink_to(name)
    with pytest.raises(UserError, match=f"^config.yaml {kind}"):
        snakemake.check_folder()


def test_a_key_inside_another_is_refused_where_snakemake_would_end_with_a_traceback(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text("movies: sample\n")
    with pytest.raises(UserError, match=r"--config sets no key inside another, 'training\.lr'"):
        snakemake.check_folder(["-n", "--config", "training.lr=0.1"])
    snakemake.check_folder(["-n", "results/a.b", "--config", "retry=all"])


def test_a_target_may_follow_the_configuration():
    words = ["--config", "retry=all", "clips", "-n", "--cores", "2"]
    assert snakemake.targets_first(words) == [
        *("clips", "--config", "retry=all", "-n", "--cores", "2")
    ]
    assert snakemake.targets_first(["clips", "--quiet"]) == ["clips", "--quiet"]


def test_a_folder_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    (tmp_path / "config.yaml").write_text("movies: sample\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(UserError, match="cannot be written"):
        snakemake.check_folder()


def test_a_closed_output_is_no_error(tmp_path):
    (tmp_path / "config.yaml").write_text("movies: none.csv\n")
    program = "from trailers12k.cli.main import main; main(['run', '-n'])"
    run = subprocess.run(
        ["sh", "-c", '"$0" -c "$1" >&-', sys.executable, program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert "AttributeError" not in run.stderr and "none.csv" in run.stderr
