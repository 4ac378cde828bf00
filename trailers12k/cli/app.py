"""The command `trailers12k` with all its subcommands.

Reads and writes nothing. Must not know what the commands do.
"""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from trailers12k import __version__
from trailers12k.cli import (
    backbones,
    clean,
    clips,
    diff,
    estimate,
    init,
    leaderboard,
    predict,
    publish,
    restore,
    review,
    run,
    snapshot,
    splits,
    stages,
    status,
    stores,
    verify,
)

COMMANDS = (
    *(init, estimate, run, status, verify, review, predict),
    *(leaderboard, diff, snapshot, restore, publish, stages, clean),
    *(stores, clips, splits, backbones),
)
"""Modules with a function `register(app)`, in the order of `trailers12k --help`."""


class Commands(TyperGroup):
    """The commands; a misspelt one suggests no hidden one."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the arguments begin with."""
        if args and args[0] not in self.commands:
            self.commands = {n: each for n, each in self.commands.items() if not each.hidden}
        return super().resolve_command(ctx, args)


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(f"trailers12k {__version__}")
        raise typer.Exit


def create_app() -> typer.Typer:
    """The command with all its subcommands."""
    app = typer.Typer(
        name="trailers12k",
        cls=Commands,
        help="From a list of movies to the features, splits and results table of Trailers12k.",
        epilog="Every command but init, splits and leaderboard works in the folder of a "
        "collection, the one that holds its config.yaml. `trailers12k COMMAND --help` shows "
        "examples.",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 100},
    )

    @app.callback()
    def options(
        version: Annotated[
            bool,
            typer.Option(
                "--version", callback=_print_version, is_eager=True, help="Print the version."
            ),
        ] = False,
    ) -> None:
        pass

    for command in COMMANDS:
        command.register(app)
    return app
