"""Folders as people have them: paths of clones and collections, surroundings, names of files."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from snakemake.cli import parse_config

from trailers12k.cli.main import main
from trailers12k.common.errors import UserError
from trailers12k.downloads.trailers import trailer_of
from trailers12k.settings import load
from trailers12k.workflow import clone
from trailers12k.workflow.download_plan import download_settings
from trailers12k.workflow.feature_plan import FeaturePlan
from trailers12k.workflow.prediction_request import PredictionRequest

ROOT = Path(__file__).parents[2]
VIDEO = ROOT / "tests/cases/data/plain.mp4"
RUN = "from trailers12k.cli.main import main; main(['run', '-n'])"
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
ODD = "My 'Films' (2026) & $HOME \"x\" `id` [y] {z} #;<>|*?!\\ é"
"""The name of a folder."""


def command(*arguments, folder, **env):
    """What a command of this clone did. env: the only variables beside those it needs."""
    needed = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        arguments, cwd=folder, env=needed | env, stdin=subprocess.DEVNULL, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, umask=0o077,
    )  # fmt: skip


@pytest.mark.parametrize("character", [*" !\"#$&'()*:;<>?[\\]^`{|}\n\t", "$(touch x)", "${HOME}"])
def test_make_refuses_a_clone_in_which_no_job_could_run(tmp_path, character):
    folder = tmp_path / f"a{character}b"
    folder.mkdir(parents=True)
    for name in ("Makefile", "lock.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    done = command("make", f"PYTHON={sys.executable}", folder=folder)
    line, *rest = done.stdout.splitlines()
    assert done.returncode != 0 and line.startswith("error: the path of this folder, ")
    assert rest == [line for line in rest if line.startswith("make: ")]
    assert sorted(path.name for path in folder.iterdir()) == [
        *("Makefile", "lock.txt", "pyproject.toml")
    ], "nothing is installed or run"
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


@pytest.mark.parametrize("name", ["plain-_.,+=@%~", "é日"])
def test_make_accepts_other_paths(tmp_path, name):
    """Up to the virtual environment, which is a program without use here."""
    folder = tmp_path / name
    folder.mkdir()
    for file in ("Makefile", "lock.txt", "pyproject.toml"):
        shutil.copy(ROOT / file, folder)
    python = tmp_path / "python"
    python.write_text(
        '#!/bin/sh\nif [ "$1" = -m ]; then echo "venv: $*"; exit 3; fi\n'
        f'exec {sys.executable} "$@"\n'
    )
    python.chmod(0o755)
    assert "venv: -m venv .venv" in command("make", f"PYTHON={python}", folder=folder).stdout


def test_the_makefile_and_the_package_refuse_the_same_characters():
    line = re.search(r're\.search\(r"(.+?)", path\)', (ROOT / "Makefile").read_text())[1]
    assert line.replace("$$", "$") == clone.NO_COMMAND.pattern


def test_python_in_a_folder_in_which_no_job_could_run_is_refused_in_one_line(tmp_path):
    """The package is another clone's; only Python's path matters."""
    folder = tmp_path / "My Trailers (2026)"
    folder.mkdir()
    python = folder / "python"
    python.symlink_to(sys.executable)
    libraries = [path for path in sys.path if path.endswith("site-packages")]
    for arguments in (["-c", RUN], ["-m", "snakemake", "-n"]):
        done = command(
            *(str(python), *arguments), folder=ROOT, PYTHONPATH=":".join([str(ROOT), *libraries])
        )
        assert done.returncode != 0 and "Traceback" not in done.stdout
        line = done.stdout.splitlines()[-1] or done.stdout.splitlines()[-2]
        assert line.startswith("error: the path of Python, ") and "has ' '" in line


def test_a_clone_in_braces_is_refused(monkeypatch, tmp_path):
    package = tmp_path / "{x}" / "trailers12k" / "__init__.py"
    monkeypatch.setattr(clone.trailers12k, "__file__", str(package))
    with pytest.raises(UserError, match="the path of the clone, .* has '{', with which no job"):
        clone.check_paths()


def test_first_jobs_run_in_any_folder_without_a_home_a_terminal_or_a_locale(tmp_path):
    folder = tmp_path / ODD
    folder.mkdir()
    shutil.copy(VIDEO, folder)
    (folder / "movies.csv").write_text(
        "mid,title,year,genres,trailer_url\n"
        + "".join(f"tt{number:07},A,2000,drama,{VIDEO.name}\n" for number in range(10))
    )
    downloads = CONFIG["downloads"] | {"local_files": True}
    one = {"movies": "movies.csv", "shards": 1, "downloads": downloads}
    (folder / "config.yaml").write_text(yaml.safe_dump(CONFIG | one))
    done = command(
        *("trailers12k", "run", "clips", "--cores", "2"),
        folder=folder, HOME="/dev/null/none", LANG="C", LC_ALL="C", TMPDIR=f"{tmp_path}/missing",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    assert (folder / "data" / "clips.csv").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == [ODD]
    shown = command("trailers12k", "status", folder=folder, HOME="/dev/null/none", LANG="C")
    assert shown.returncode == 0 and "clips" in shown.stdout


NAMES = [
    *("a b.mp4", "it's.mp4", 'say "hi".mp4', "a\nb.mp4", "-x.mp4", "--cores", "a\tb.mp4"),
    *("日本 é.mp4", "Mission: Impossible.mp4", "{x}.mp4", "[y].mp4", "$HOME `id`;&|.mp4"),
    *("100%.mp4", "%41.mp4", "a#b?c=d.mp4", "x" * 251 + ".mp4", "1", "true", "null", "1.5", "1e3"),
    *(" first.mp4", "last ", "a\\b.mp4", "*.mp4", "~x.mp4", "file:z.mp4", "http:x.mp4", "- a.mp4"),
    *("e\u0301\u200d.mp4", "a: b", "a=b", "@x", "'q'", "0x10", "é/ü (1).mp4", ":", "!!x"),
]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_of_a_file_can_be_predicted(tmp_path, monkeypatch, name):
    """From the command line, through Snakemake's reading of it, to the job that opens the file."""
    monkeypatch.chdir(tmp_path)
    Path(name).parent.mkdir(exist_ok=True)
    shutil.copy(VIDEO, name)
    given: list[str] = []
    monkeypatch.setattr("trailers12k.cli.snakemake.check_folder", lambda _: None)
    monkeypatch.setattr("trailers12k.cli.snakemake.run", given.extend)
    with pytest.raises(SystemExit) as end:
        main(["predict", "--", name])
    assert not end.value.code
    request = request_of(parse_config([given[given.index("--config") + 1]])["trailer"])
    assert request.address == name and request.files(None) == ([] if "{" in name else [name])
    assert re.fullmatch(r"results/predictions/[\w-]+\.md", request.products[0])
    settings = download_settings(load(CONFIG), "trailers")
    trailer = trailer_of(request.location(None), settings, tmp_path / "build")
    assert Path(trailer["file"]).samefile(name) and trailer["duration"] == "2.000"


def test_a_changed_file_is_predicted_again_though_braces_keep_it_from_being_an_input(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    path = Path("a {b}.mp4")
    path.write_bytes(b"1")
    first, again = request_of(str(path)).name, request_of(str(path)).name
    path.write_bytes(b"22")
    assert first == again != request_of(str(path)).name


@pytest.mark.parametrize("name", ["none.mp4", "x" * 300, "//["])
def test_a_file_that_does_not_exist_is_named(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        UserError, match="trailer: .* (does not exist|cannot be read).*; allowed: a file or"
    ) as error:
        request_of(name)
    assert "\n" not in str(error.value)


def test_a_name_with_a_line_feed_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"trailer: 'a\\nb' is not allowed; allowed: .* printable"):
        request_of("a\nb")


def test_a_name_in_another_encoding_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("trailers12k.cli.snakemake.check_folder", lambda _: None)
    name = os.fsdecode(b"caf\xe9.mp4")
    shutil.copy(VIDEO, name)
    with pytest.raises(SystemExit):
        main(["predict", name])
    message = "error: 'caf\\udce9.mp4': the name of the file is not UTF-8; rename it\n"
    assert capsys.readouterr().err == message


def request_of(trailer):
    """The request for a trailer, in a folder with one trained run."""
    run = next(name for name, each in CONFIG["runs"].items() if "shuffle_labels" not in each)
    checkpoint = Path(f"results/runs/{run}/split0/best.pt")
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    checkpoint.touch()
    Path("results/transfer").mkdir(exist_ok=True)
    Path("results/transfer/val.csv").write_text(f"run,split,subset,uap\n{run},0,validation,50\n")
    settings = load(CONFIG | {"trailer": trailer})
    return PredictionRequest(settings.trailer, settings, FeaturePlan(settings))
