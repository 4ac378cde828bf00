"""The command `trailers12k`: collects the commands and reports errors.

Prints errors to stderr: one line and exit code 2 for a user's error, a traceback for a fault of
ours. Must not know what the commands do.
"""

import sys
import traceback
from collections.abc import Sequence
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
    predict,
    restore,
    review,
    run,
    snapshot,
    splits,
    stages,
    status,
    stores,
)
from trailers12k.common.errors import UserError

COMMANDS = (
    *(init, estimate, run, status, review, predict),
    *(diff, snapshot, restore, stages, clean),
    *(stores, clips, splits, backbones),
)
"""Modules with a function `register(app)`, in the order of `trailers12k --help`."""

USER_ERROR = 2


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
        epilog="Every command but init and splits works in the folder of a collection, the one "
        "that holds its config.yaml. `trailers12k COMMAND --help` shows examples.",
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


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code: 0 ok, 1 faults found, 2 an error of the user's.

    arguments: by default those of the process.
    """
    try:
        create_app()(args=arguments, prog_name="trailers12k")
    except UserError as error:
        sys.exit(_report(str(error)))
    except ModuleNotFoundError as error:
        if not error.name or error.name.partition(".")[0] == "trailers12k":
            sys.exit(_report_fault())
        install = "in the clone: pip install -c lock.txt -e '.[all]'"
        sys.exit(_report(f"this command needs the package {error.name}; {install}"))
    except Exception:
        sys.exit(_report_fault())


def _report(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return USER_ERROR


def _report_fault() -> int:
    traceback.print_exc()
    print(
        f"This is a fault of trailers12k {__version__}. Please report it with the lines above, as "
        "an issue of the repository that it was cloned from.",
        file=sys.stderr,
    )
    return 1
