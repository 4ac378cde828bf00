"""`trailers12k run`: runs the workflow in the folder of a collection.

Starts Snakemake. Must not know the rules or their targets.
"""

from enum import StrEnum
from typing import Annotated

import typer

from trailers12k.cli import snakemake
from trailers12k.cli.collection import PASS_THROUGH, examples


class RunningJobs(StrEnum):
    """What to do with the Slurm jobs that a killed run left at work."""

    WAIT = "wait"
    CANCEL = "cancel"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "run",
        short_help="Run the workflow, or some targets of it.",
        context_settings=PASS_THROUGH,
        epilog=examples(
            "trailers12k run",
            "trailers12k run --dry-run           # what would run, and why; changes nothing",
            "trailers12k run --verbose           # all that Snakemake and the jobs print",
            "trailers12k run clips --cores 4     # up to the clips, on four cores",
            "trailers12k run --config retry=all  # retry every failed movie",
        ),
        options_metavar="",
    )(run)


def run(
    context: typer.Context,
    running_jobs: Annotated[
        RunningJobs,
        typer.Option(help="What to do with Slurm jobs that a killed run of this folder left."),
    ] = RunningJobs.WAIT,
) -> None:
    """Run the workflow, or some targets of it: `trailers12k run [TARGET...] [OPTION...]`.

    Targets: metadata, trailers, posters, clips, weights, features, splits, evaluate, report,
    review, and any file that a rule writes. All cores are used unless --cores says otherwise. A
    run that was interrupted continues.

    Prints the progress of every stage, failures and warnings. --dry-run (-n) prints per stage how
    many movies and jobs would run, and why. --verbose prints what Snakemake and the jobs print,
    which otherwise is in the log files. Every other argument is passed to Snakemake.
    """
    snakemake.check_folder(context.args)
    if "--unlock" in context.args:
        snakemake.refuse_unlocking(context.args)
    elif not snakemake.is_dry(context.args):
        snakemake.end_earlier_jobs(context.args, cancels=running_jobs is RunningJobs.CANCEL)
    raise typer.Exit(snakemake.run(context.args))
