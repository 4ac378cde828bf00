"""`trailers12k review`: writes the pages on which a person checks trailers.

Starts Snakemake. Must not know what the pages show.
"""

from pathlib import Path

import typer

from trailers12k.cli import snakemake
from trailers12k.cli.collection import PASS_THROUGH, examples

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
    if code := snakemake.run(["review", *context.args]):
        raise typer.Exit(code)
    if PAGE.exists():
        typer.echo(f"Open this page in a browser: {PAGE.resolve()}")
