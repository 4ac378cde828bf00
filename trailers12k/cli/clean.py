"""`trailers12k clean`: removes results that no configuration of this folder uses any more.

Reads the configuration and build/; removes files there. Must not know what the jobs do.
"""

from typing import Annotated

import typer

from trailers12k.cli.collection import examples, read_settings
from trailers12k.common.errors import UserError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "clean",
        short_help="Remove kept results that are not used any more.",
        epilog=examples(
            "trailers12k clean --unused --dry-run",
            "trailers12k clean --unused",
        ),
    )(clean)


def clean(
    unused: Annotated[
        bool,
        typer.Option(
            "--unused", help="Remove what no configuration of this folder named for 30 days."
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be removed; remove nothing.")
    ] = False,
) -> None:
    """Remove kept results that are not used any more, and print each.

    Runs keep the results of finished jobs in build/cache/, and put them back when the same inputs
    and settings return. The current result of each store and run of the configuration stays.
    Not while a run is at work.
    """
    from trailers12k.jobs import unused_results
    from trailers12k.versions.planned_jobs import refuse_running
    from trailers12k.workflow.cached_jobs import is_current_job

    if not unused:
        raise UserError("say what to remove: trailers12k clean --unused")
    settings = read_settings()
    if not dry_run:
        refuse_running("clean")
    found = unused_results.unused_results(is_current_job(settings))
    for each in found:
        typer.echo(f"{each.path}  {each.size:,} bytes  {each.why}")
    if not dry_run:
        unused_results.remove(found)
    count = {0: "no file", 1: "1 file"}.get(len(found), f"{len(found):,} files")
    verb = "would be removed" if dry_run else "removed"
    typer.echo(f"{count} {verb}, {sum(each.size for each in found):,} bytes")
