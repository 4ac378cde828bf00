"""`trailers12k review`: writes the pages on which a person checks trailers.

Starts Snakemake. Must not know what the pages show.
"""

import subprocess
from contextlib import suppress
from pathlib import Path

import typer

from trailers12k.cli import snakemake
from trailers12k.cli.collection import PASS_THROUGH, examples
from trailers12k.workflow import clone

PAGE = Path("results/review/index.html")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "review",
        short_help="Write the page that shows every trailer.",
        context_settings=PASS_THROUGH,
        epilog=examples("trailers12k review"),
        options_metavar="",
    )(review)


def review(context: typer.Context) -> None:
    """Write the page that shows every trailer's shots, poster and flags, and print its path.

    Runs what the page needs; nothing is trained. Further arguments are passed to Snakemake.
    """
    snakemake.check_folder(context.args)
    with subprocess.Popen(
        clone.snakemake_command(snakemake.with_display(["review", *context.args]))
    ) as running:
        while running.poll() is None:
            # Snakemake receives Ctrl-C too, and ends its jobs.
            with suppress(KeyboardInterrupt):
                running.wait()
    if running.returncode:
        raise typer.Exit(running.returncode)
    if PAGE.exists():
        typer.echo(f"Open this page in a browser: {PAGE.resolve()}")
