"""`trailers12k run`: runs the workflow in the folder of a collection.

Starts Snakemake. Must not know the rules or their targets.
"""

import typer

from trailers12k.cli import snakemake
from trailers12k.cli.collection import PASS_THROUGH, examples


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "run",
        short_help="Run the workflow, or some targets of it.",
        context_settings=PASS_THROUGH,
        epilog=examples(
            "trailers12k run",
            "trailers12k run -n                  # what would run, and why",
            "trailers12k run clips --cores 4     # up to the clips, on four cores",
            "trailers12k run --config retry=all  # retry every failed movie",
        ),
        options_metavar="",
    )(run)


def run(context: typer.Context) -> None:
    """Run the workflow, or some targets of it: `trailers12k run [TARGET...] [OPTION...]`.

    Targets: metadata, trailers, posters, clips, weights, features, splits, evaluate, report,
    review, and any file that a rule writes. Every argument is passed to Snakemake; all cores are
    used unless --cores says otherwise. A run that was interrupted continues.
    """
    snakemake.check_folder()
    snakemake.replace_process(context.args)
