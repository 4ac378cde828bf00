"""`trailers12k restore`: puts the products of a version back.

Writes to data/, build/ and results/. Must not know what the products are.
"""

import logging
from typing import Annotated

import typer

from trailers12k.cli.collection import examples


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "restore",
        short_help="Put the products of a version back.",
        epilog=examples(
            "trailers12k restore 2026-10",
            "trailers12k restore              # of the commit that is checked out",
            "trailers12k restore main --force # loses changes that are in no version",
        ),
    )(restore)


def restore(
    version: Annotated[
        str,
        typer.Argument(
            metavar="[TAG]",
            help="A Git tag, branch or commit of a snapshot; by default the one checked out.",
            show_default=False,
        ),
    ] = "",
    force: Annotated[
        bool, typer.Option("--force", help="Lose changes that are in no version.")
    ] = False,
) -> None:
    """Put the products, the configuration and build/ back as they were in a version."""
    from trailers12k.versions.restoration import restore

    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    typer.echo(restore(version, force))
