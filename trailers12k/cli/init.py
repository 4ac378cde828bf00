"""`trailers12k init`: creates the folder of a new collection.

Writes config.yaml, movies.csv, and what Git and DVC need. Must not know how a collection is run.
"""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from trailers12k.cli.collection import examples
from trailers12k.common.errors import UserError

REPOSITORY = {"gitignore": ".gitignore", "dvcignore": ".dvcignore", "dvcconfig": ".dvc/config"}
"""Files of examples/ -> files of a collection's repository."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "init",
        short_help="Create a collection in a new folder.",
        epilog=examples(
            "trailers12k init my-movies && cd my-movies",
            "trailers12k init my-movies --no-git      # without versions",
        ),
    )(init)


def init(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", help="A folder that is new or holds no config.yaml.", show_default=False
        ),
    ],
    git: Annotated[
        bool, typer.Option("--git/--no-git", help="Make DIR a Git and DVC repository.")
    ] = True,
) -> None:
    """Create a collection: config.yaml with the few keys that matter, and an example movies.csv.

    Unless DIR lies in a Git repository already, it becomes one of its own, with DVC for versions.
    """
    if git:
        _require_programs()
    _write_collection(folder)
    if git:
        _init_repository(folder)
    typer.echo(
        f"Created {folder}. Edit movies.csv and config.yaml there, then:\n"
        f"  cd {folder}\n"
        "  trailers12k run -n     # what would run\n"
        "  trailers12k run"
    )


def _write_collection(folder: Path) -> None:
    """Write the example files. Raises `UserError` before any is written."""
    for name in ("config.yaml", "movies.csv"):
        if (folder / name).exists():
            raise UserError(f"{folder / name} exists already; choose another folder")
    schema = resources.files("trailers12k.settings").joinpath("config.schema.json")
    config = _example("config.yaml").replace("{schema}", str(schema))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.yaml").write_text(config, encoding="utf-8")
        (folder / "movies.csv").write_text(_example("movies.csv"), encoding="utf-8")
    except OSError as error:
        raise UserError(f"{folder} cannot be written: {error.strerror or error}") from error


def _require_programs() -> None:
    """Raise `UserError` where Git or DVC is missing."""
    if shutil.which("git") is None:
        raise UserError("init: git is not installed; install it, or use --no-git")
    if find_spec("dvc") is None:
        raise UserError(
            "init: DVC is not installed; install the package's set `workflow`, or use --no-git"
        )


def _init_repository(folder: Path) -> None:
    """Make the folder a repository of Git and DVC, unless it lies inside another one.

    Files that exist stay. Raises `UserError` where git or dvc fails.
    """
    found = subprocess.run(
        ["git", "rev-parse", "--show-toplevel"], cwd=folder, capture_output=True, text=True
    )
    if found.returncode == 0 and Path(found.stdout.strip()).resolve() != folder.resolve():
        typer.echo(f"{folder} lies in the Git repository {found.stdout.strip()} and gets no own.")
        return
    if found.returncode:
        _call(["git", "init", "--quiet", "--initial-branch", "main"], folder)
    if not (folder / ".dvc").exists():
        _call([sys.executable, "-m", "dvc", "init", "--quiet"], folder)
        for name in (".dvcignore", ".dvc/config"):  # DVC's own hold comments only
            (folder / name).unlink()
    for example, name in REPOSITORY.items():
        if not (folder / name).exists():
            text = _example(example).replace("{name}", folder.resolve().name)
            (folder / name).write_text(text, encoding="utf-8")
    files = [*REPOSITORY.values(), ".dvc/.gitignore", "config.yaml", "movies.csv"]
    _call(["git", "add", "--", *files], folder)
    identity = ["git", "var", "GIT_COMMITTER_IDENT"]
    if subprocess.run(identity, cwd=folder, capture_output=True).returncode:
        typer.echo("Nothing is committed yet, since Git does not know your name and e-mail.")
        return
    _call(["git", "commit", "--quiet", "--message", "Create the collection", "--", *files], folder)


def _call(command: Sequence[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        reason = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise UserError(f"init: {' '.join(command[:3])} failed in {folder}: {reason}")


def _example(name: str) -> str:
    return resources.files("trailers12k.cli").joinpath("examples", name).read_text("utf-8")
