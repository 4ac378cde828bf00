"""`trailers12k status`: how far a run is.

Reads the configuration, ledgers and records; writes nothing unless a file is named. Must not know
what the stages do.
"""

from pathlib import Path
from typing import Annotated

import typer

from trailers12k.cli.collection import examples, read_settings
from trailers12k.cli.output import check_output


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "status",
        short_help="Print how far every stage is.",
        epilog=examples(
            "trailers12k status",
            "trailers12k status --csv status.csv      # also as a table for a program",
        ),
    )(status)


def status(
    csv: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write the figures to this CSV file."),
    ] = None,
) -> None:
    """Print how far every stage is: done, failed and why, waiting, and the time left.

    Works while a run is at work, from any machine that sees the folder.
    """
    from trailers12k.jobs import status as progress
    from trailers12k.workflow.run_status import run_status

    if csv:
        check_output(csv)
    state = run_status(read_settings())
    if state is None:
        typer.echo("The movies are not collected yet; start a run: trailers12k run")
        return
    typer.echo(state.text)
    if csv:
        progress.write(csv, state.rows)
