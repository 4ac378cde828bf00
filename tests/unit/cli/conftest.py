"""A collection without products, and calls of the command."""

from collections.abc import Callable
from pathlib import Path

import pytest

from trailers12k.cli import main as command
from trailers12k.cli.init import init

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(capsys) -> Call:
    """Calls the command in this process: its exit code, stdout and stderr."""

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            command.main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return end.value.code or 0, out, err

    return run


@pytest.fixture
def collection(tmp_path, monkeypatch, capsys) -> Path:
    """The folder of a new collection of a movie table, as the working directory."""
    folder = tmp_path / "collection"
    init(folder)
    text = (folder / "config.yaml").read_text()
    (folder / "config.yaml").write_text(text.replace("[movies.csv, search]", "movies.csv"))
    monkeypatch.chdir(folder)
    capsys.readouterr()
    return folder


@pytest.fixture
def snapshot_of() -> Callable[[Path], dict[str, tuple[int, bytes]]]:
    """Every file of a folder: its path -> its modification time in ns and its content."""

    def files(folder: Path) -> dict[str, tuple[int, bytes]]:
        return {
            str(path): (path.stat().st_mtime_ns, path.read_bytes())
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }

    return files
