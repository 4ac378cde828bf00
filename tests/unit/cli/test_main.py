"""The command as a whole: help, errors, exit codes, imports."""

import subprocess
import sys

import pytest

import trailers12k
from trailers12k.cli import status

SUBCOMMANDS = [
    *(
        "init",
        "run",
        "status",
        "review",
        "predict",
        "diff",
        "snapshot",
        "restore",
        "stages",
        "clean",
    ),
    *("splits", "stores describe", "stores verify", "clips cut", "backbones"),
]
HEAVY = ("torch", "snakemake", "dvc", "zarr", "numpy", "pandas", "sklearn", "av", "yaml")


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_every_command_shows_examples_in_its_help(call, name):
    code, out, err = call(*name.split(), "--help")
    assert (code, err) == (0, "")
    assert "Examples:" in out and f"  trailers12k {name}" in out


def test_no_command_is_cut_short_in_the_list(call):
    code, out, _ = call("--help")
    assert code == 0
    assert not [line for line in out.partition("Commands:")[2].splitlines() if line.endswith("...")]


def test_the_version_is_printed(call):
    assert call("--version") == (0, f"trailers12k {trailers12k.__version__}\n", "")


def test_the_list_of_commands_imports_no_package_that_only_some_commands_need():
    code = "import sys; from trailers12k.cli import app; app.create_app(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {*HEAVY} & {*done.stdout.split()}


def test_an_error_of_the_user_is_one_line_with_exit_code_2(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("status", "run", "review", "snapshot"):
        code, out, err = call(name)
        assert (code, out) == (2, "")
        assert err.startswith("error: there is no config.yaml in this folder")
        assert len(err.splitlines()) == 1


@pytest.mark.parametrize("arguments", [["run"], ["review"], ["predict", "x.mp4"], ["status"]])
def test_a_syntax_error_of_the_configuration_names_its_file_and_line(
    call, tmp_path, monkeypatch, arguments
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text("seed: 1\n shards: 2\n")
    code, _, err = call(*arguments)
    assert code == 2 and len(err.splitlines()) == 1
    assert err.startswith("error: config.yaml cannot be read: ") and "line 2" in err


def test_an_unknown_option_is_an_error_of_the_user(call):
    code, _, err = call("status", "--unknown")
    assert code == 2 and "--unknown" in err


def test_a_missing_package_is_named_in_one_line(tmp_path):
    (tmp_path / "labels.csv").write_text("mid,drama\n")
    code = (
        "import sys; sys.modules['numpy'] = None; "
        "sys.argv = ['trailers12k', 'splits', 'labels.csv', 'out.csv', '--seed', '1']; "
        "from trailers12k.cli.main import main; main()"
    )
    # In a process of its own: this one may have imported the package for another test.
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: this command needs the package numpy")
    assert len(done.stderr.splitlines()) == 1


def test_a_fault_of_ours_prints_its_traceback_and_where_to_report_it(call, monkeypatch):
    def fail():
        raise ZeroDivisionError("in a test")

    monkeypatch.setattr(status, "read_settings", fail)
    code, _, err = call("status")
    assert code == 1
    assert "Traceback" in err and "ZeroDivisionError: in a test" in err
    assert "Please report it" in err.splitlines()[-1]


def test_a_misspelt_command_suggests_no_hidden_one(call):
    code, _, err = call("statuss")
    assert code == 2 and "Did you mean 'status'" in err and "'state'" not in err
