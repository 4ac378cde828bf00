"""`trailers12k init`: creates the folder of a new collection.

Writes config.yaml, movies.csv, and what Git and DVC need. Must not know how a collection is run.
"""

import shlex
import shutil
from collections.abc import Iterable, Mapping
from enum import StrEnum
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from trailers12k.cli.collection import examples
from trailers12k.common.bounded_files import shown_path
from trailers12k.common.errors import UserError
from trailers12k.common.files import write_text


class Preset(StrEnum):
    """The names of the presets, in `trailers12k init --help`; trailers12k.settings has them."""

    TRAILERS12K = "trailers12k"
    PUBLISHED = "published"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "init",
        short_help="Create a collection in a new folder.",
        epilog=examples(
            "trailers12k init ../my-movies",
            "trailers12k init ../rebuild --preset trailers12k",
            "trailers12k init ../my-movies --no-git   # without versions",
        ),
    )(init)


def init(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", help="A folder that is new or holds no config.yaml.", show_default=False
        ),
    ],
    preset: Annotated[
        Preset | None,
        typer.Option(
            help="A whole configuration instead of movies of your own: `trailers12k` rebuilds the "
            "paper's collection, `published` evaluates the authors' features.",
            show_default=False,
        ),
    ] = None,
    git: Annotated[
        bool, typer.Option("--git/--no-git", help="Make DIR a Git and DVC repository.")
    ] = True,
) -> None:
    """Create a collection: config.yaml with the few keys that matter, and an example movies.csv.

    With --preset: config.yaml with every key, and no movies.csv. DIR becomes a Git repository with
    DVC, for versions; inside another repository than the clone of this workflow, DVC is added.
    """
    if git:
        _require_programs()
    texts = _texts(preset)
    _write_collection(folder, texts)
    if git:
        _init_repository(folder, texts)
    typer.echo(
        f"Created {folder}. Edit {' and '.join(texts)} there, then:\n"
        f"  cd {shlex.quote(str(folder))}\n"
        "  trailers12k estimate         # what a run takes\n"
        "  trailers12k run --dry-run    # what would run\n"
        "  trailers12k run"
    )


def _texts(preset: Preset | None) -> dict[str, str]:
    """The files of a new collection: name -> text."""
    schema = str(resources.files("trailers12k.settings").joinpath("config.schema.json"))
    if preset:
        from trailers12k.settings.presets import preset_text

        return {"config.yaml": preset_text(preset, schema)}
    return {
        "config.yaml": _example("config.yaml").replace("{schema}", schema),
        "movies.csv": _example("movies.csv"),
    }


def _write_collection(folder: Path, texts: Mapping[str, str]) -> None:
    """Write the files. Raises `UserError` before any is written."""
    for name in texts:
        if (folder / name).exists():
            raise UserError(f"{shown_path(folder / name)} exists already; choose another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            write_text(folder / name, text)
    except OSError as error:
        raise UserError(
            f"{shown_path(folder)} cannot be written: {error.strerror or error}"
        ) from error


def _require_programs() -> None:
    """Raise `UserError` where Git or DVC is missing."""
    if shutil.which("git") is None:
        raise UserError("init: git is not installed; install it, or use --no-git")
    if find_spec("dvc") is None:
        raise UserError(
            "init: DVC is not installed; install the package's set `workflow`, or use --no-git"
        )


def _init_repository(folder: Path, names: Iterable[str]) -> None:
    """Make the folder a repository of Git and DVC; inside another repository, of DVC alone.

    The clone of this workflow is no such repository: its history is not the collection's.

    names: files of the collection for its first commit. Files that exist stay. Raises `UserError`
    where git or dvc fails.
    """
    from trailers12k.versions.repository import REPOSITORY_FILES, git, init_repository
    from trailers12k.workflow import clone

    top = init_repository(folder, clone.folder())
    if top.resolve() != folder.resolve():
        typer.echo(f"{folder} is part of the Git repository {top}, which keeps its versions.")
        return
    files = [*REPOSITORY_FILES, *names]
    git("add", "--", *files, folder=folder)
    try:
        git("var", "GIT_COMMITTER_IDENT", folder=folder)
    except UserError:
        typer.echo("Nothing is committed yet, since Git does not know your name and e-mail.")
        return
    message = "Create the collection"
    git("commit", "--quiet", "--message", message, "--", *files, folder=folder)


def _example(name: str) -> str:
    return resources.files("trailers12k.cli").joinpath("examples", name).read_text("utf-8")
