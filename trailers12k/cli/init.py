"""`trailers12k init`: creates the folder of a new collection.

Writes config.yaml and movies.csv. Must not know how a collection is run, nor what keeps versions.
"""

import shlex
from collections.abc import Mapping
from enum import StrEnum
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from trailers12k.cli.collection import examples
from trailers12k.common.bounded_files import shown_path
from trailers12k.common.errors import UserError
from trailers12k.common.files import inside, write_text


class Preset(StrEnum):
    """The names of the presets, in `trailers12k init --help`; trailers12k.settings has them."""

    TRAILERS12K = "trailers12k"
    MODERN = "modern"
    PUBLISHED = "published"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "init",
        short_help="Create a collection in a new folder.",
        epilog=examples(
            "trailers12k init ../my-movies",
            "trailers12k init ../rebuild --preset trailers12k",
            "trailers12k init ../again --publication ../my-movies/publication",
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
            "paper's collection, `modern` adds today's encoders, `published` evaluates the "
            "authors' features.",
            show_default=False,
        ),
    ] = None,
    publication: Annotated[
        str,
        typer.Option(
            metavar="DIR_OR_URL",
            help="Evaluate a publication of this workflow: its features, splits, runs and seed.",
            show_default=False,
        ),
    ] = "",
    _git: Annotated[
        # Scripts may name it: an earlier version made repositories here.
        bool, typer.Option("--git/--no-git", hidden=True)
    ] = False,
) -> None:
    """Create a collection: config.yaml with the few keys that matter, and an example movies.csv.

    With --preset: config.yaml with every key, and no movies.csv. With --publication: config.yaml of
    that publication.
    """
    if preset and publication:
        raise UserError("--preset and --publication exclude each other; name one of them")
    texts = {"config.yaml": _of_publication(publication)} if publication else _texts(preset)
    _write_collection(folder, texts)
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


def _of_publication(address: str) -> str:
    """config.yaml of a collection that evaluates a publication. Raises `UserError`."""
    from trailers12k.common.local_files import local_path
    from trailers12k.publish import replication

    if folder := local_path(address):
        return replication.read(inside(folder, replication.CONFIG), str(folder.absolute()))
    from trailers12k.downloads import published

    with TemporaryDirectory() as temporary:
        path = inside(temporary, replication.CONFIG)
        published.fetch_config(f"{address.rstrip('/')}/{replication.CONFIG}", path)
        return replication.read(path, address.rstrip("/"))


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


def _example(name: str) -> str:
    return resources.files("trailers12k.cli").joinpath("examples", name).read_text("utf-8")
