"""`trailers12k diff`: what changed between two versions of a collection.

Reads products of versions. Must not know how they are compared.
"""

from typing import Annotated

import typer

from trailers12k.cli.collection import examples
from trailers12k.common.errors import UserError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "diff",
        short_help="Print what changed between two versions.",
        epilog=examples(
            "trailers12k diff v1 v2",
            "trailers12k diff v1              # v1 and the files in this folder",
        ),
    )(diff)


def diff(
    from_: Annotated[
        str,
        typer.Argument(
            metavar="FROM", help="A Git tag, branch or commit of a snapshot.", show_default=False
        ),
    ],
    to: Annotated[
        str,
        typer.Argument(
            metavar="[TO]", help="A later one; by default the files here.", show_default=False
        ),
    ] = "",
) -> None:
    """Print what changed from one version to another: movies, features, settings, results."""
    if not from_:
        raise UserError("diff: name a version: trailers12k diff FROM [TO]")
    from trailers12k.versions.comparison import compare

    typer.echo(compare(from_, to))
