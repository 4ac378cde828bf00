"""`trailers12k publish`: a finished run as a dataset that others can cite, load and check.

Reads the configuration and the products; writes a folder, and uploads it to drafts on Zenodo. Must
not know what is in it.
"""

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trailers12k.cli.collection import examples, read_settings
from trailers12k.common.errors import UserError

if TYPE_CHECKING:
    from trailers12k.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "publish",
        short_help="Write the files of a published dataset.",
        epilog=examples(
            "trailers12k publish",
            "trailers12k publish --to /data/trailers-of-2026",
            "trailers12k publish --zenodo --sandbox",
            "trailers12k publish --check publication",
        ),
    )(publish)


def publish(
    to: Annotated[
        Path, typer.Option("--to", metavar="DIR", help="The folder of the publication.")
    ] = Path("publication"),
    zenodo: Annotated[
        bool,
        typer.Option(
            "--zenodo",
            help="Upload the publication at --to, which is written first if there is none, to a "
            "draft on Zenodo. The token is read from ZENODO_TOKEN.",
        ),
    ] = False,
    sandbox: Annotated[
        bool,
        typer.Option(
            "--sandbox",
            help="With --zenodo: use sandbox.zenodo.org, for trials, and ZENODO_SANDBOX_TOKEN.",
        ),
    ] = False,
    check: Annotated[
        str,
        typer.Option(
            "--check",
            metavar="DIR_OR_URL",
            help="Read a publication, of anybody, and print what does not hold; exit code 1 if "
            "anything does not.",
            show_default=False,
        ),
    ] = "",
) -> None:
    """Write a finished run as a dataset: archives of the stores, Parquet, tables, a page, a card, a
    citation, Croissant metadata and sums.

    The folder is written whole or not at all; an earlier publication there is replaced. Videos and
    posters are never part of it, nor are local paths, messages of failures and names of people who
    decided.

    With --zenodo, the draft of a new record, or of a new version of the record of publish.doi, gets
    the files. A draft is never published: read it and publish it there. Call the same command again
    to continue an upload, or to bring a draft up to date.

    With --check, nothing is published: the command compares sums, archives, Parquet files, clips
    and splits, and looks for local paths. A URL is downloaded into a temporary folder.
    """
    if check:
        _check(check, zenodo or sandbox)
        return
    from trailers12k.common.sum_files import SHA256SUMS
    from trailers12k.publish import publication

    if sandbox and not zenodo:
        raise UserError("publish: --sandbox is of an upload; add --zenodo")
    settings = read_settings()
    publication.check_collection(settings)
    target = publication.check_target(to)
    if zenodo:
        from trailers12k.publish import collect
        from trailers12k.publish.zenodo.upload import require

        require(collect.statements(settings), sandbox)
    if not zenodo or not (target / SHA256SUMS).is_file():
        _require_finished()
        publication.write(settings, target, say=typer.echo)
        typer.echo(f"Published: {to}")
    if zenodo:
        _upload(settings, to, sandbox)


def _check(place: str, has_others: bool) -> None:
    """Print what does not hold in a publication. Raises `typer.Exit` if anything does not."""
    from trailers12k.publish.checking import check

    if has_others:
        raise UserError("publish: --check reads a publication; leave out --zenodo and --sandbox")
    # The temporary folder, which may hold a whole download, is removed then, too.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    faults = check.check(place)
    for fault in faults:
        typer.echo(fault)
    result = {0: "no faults", 1: "1 fault"}.get(len(faults), f"{len(faults)} faults")
    typer.echo(f"{place}: {result}")
    if faults:
        raise typer.Exit(1)


def _upload(settings: "Settings", folder: Path, sandbox: bool) -> None:
    """Upload a publication, and print the addresses of the drafts."""
    from trailers12k.publish import collect
    from trailers12k.publish.zenodo.upload import upload

    statements, credits = collect.statements(settings), collect.credits(settings)
    uploads = upload(folder, statements, credits, sandbox, show=typer.echo)
    for each in uploads:
        state = "published, with these files" if each.is_published else "draft, not published"
        reserved = "" if each.is_published else "reserved "
        typer.echo(f"{state}: {each.page} ({each.files} files, {reserved}DOI {each.doi})")
    if not all(each.is_published for each in uploads):
        typer.echo("Read each draft and publish it on its page; a published record stays for ever.")


def _require_finished() -> None:
    """Raise `UserError` while a run is at work, and where one has something to do."""
    from trailers12k.versions.planned_jobs import planned_jobs, refuse_running

    refuse_running("publish")
    if planned_jobs((), "--config", "retry=none"):
        raise UserError(
            "publish: the run is not finished, as trailers12k run -n shows; finish it first: "
            "trailers12k run"
        )
