"""`trailers12k snapshot`: commits all products of a finished run.

Writes to DVC and Git. Must not know what the products are.
"""

from typing import Annotated

import typer

from trailers12k.cli.collection import examples, require_config


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "snapshot",
        short_help="Commit all products as a version.",
        epilog=examples(
            "trailers12k snapshot --version 2026-11",
            "trailers12k snapshot",
        ),
    )(snapshot)


def snapshot(
    version: Annotated[
        str, typer.Option(metavar="TAG", help="A Git tag for it.", show_default=False)
    ] = "",
    allow_dirty: Annotated[
        bool,
        typer.Option("--allow-dirty", help="Also with code that no commit of the clone has."),
    ] = False,
) -> None:
    """Commit all products of a finished run to DVC, and the files that name them to Git.

    Videos and posters are never kept. The message of the commit names the commit of the code.
    """
    from trailers12k.versions.snapshots import snapshot

    require_config()
    typer.echo(snapshot(version, allow_dirty))
