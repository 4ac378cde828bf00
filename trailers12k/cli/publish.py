"""`trailers12k publish`: a finished run as a dataset that others can cite, load and check.

Reads the configuration and the products; writes a folder. Must not know what is in it.
"""

from pathlib import Path
from typing import Annotated

import typer

from trailers12k.cli.collection import examples, read_settings
from trailers12k.common.errors import UserError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "publish",
        short_help="Write the files of a published dataset.",
        epilog=examples(
            "trailers12k publish",
            "trailers12k publish --to /data/trailers-of-2026",
        ),
    )(publish)


def publish(
    to: Annotated[
        Path, typer.Option("--to", metavar="DIR", help="The folder of the publication.")
    ] = Path("publication"),
) -> None:
    """Write a finished run as a dataset: archives of the stores, Parquet, tables, a page, a card, a
    citation, Croissant metadata and sums.

    The folder is written whole or not at all; an earlier publication there is replaced. Videos and
    posters are never part of it, nor are local paths, messages of failures and names of people who
    decided.
    """
    from trailers12k.publish import publication

    settings = read_settings()
    publication.check_collection(settings)
    target = publication.check_target(to)
    _require_finished()
    publication.write(settings, target, say=typer.echo)
    typer.echo(f"Published: {to}")


def _require_finished() -> None:
    """Raise `UserError` while a run is at work, and where one has something to do."""
    from trailers12k.versions.planned_jobs import planned_jobs, refuse_running

    refuse_running("publish")
    if planned_jobs((), "--config", "retry=none"):
        raise UserError(
            "publish: the run is not finished, as trailers12k run -n shows; finish it first: "
            "trailers12k run"
        )
