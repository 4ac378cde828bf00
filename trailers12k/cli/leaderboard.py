"""`trailers12k leaderboard`: joins the leaderboards of several collections.

Reads results/leaderboard.csv of collections and publications; writes the file that --to names.
Must not know how a leaderboard is computed.
"""

import os
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from trailers12k.cli.collection import examples
from trailers12k.cli.output import check_output
from trailers12k.common.bounded_files import shown_path
from trailers12k.common.errors import UserError
from trailers12k.common.files import write_text

SETTINGS = "config.yaml"
PUBLISHED = "croissant.json"
"""The file that publications have, and collections lack."""


class Format(StrEnum):
    """How the joined table is written."""

    CSV = "csv"
    MD = "md"


class Sort(StrEnum):
    """Columns by which the joined table may be ordered."""

    ROW = "row"
    UAP = "uap"
    MAP = "map"
    WAP = "wap"
    SAP = "sap"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "leaderboard",
        short_help="Join the leaderboards of several collections.",
        epilog=examples(
            "trailers12k leaderboard . ../other --format md",
            "trailers12k leaderboard here.csv ../other/publication --to joined.csv",
        ),
    )(leaderboard)


def leaderboard(
    places: Annotated[
        list[Path],
        typer.Argument(
            metavar="PLACE...",
            help="Collections, publications, or files leaderboard.csv.",
            show_default=False,
        ),
    ],
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="Where to write the table.")
    ] = None,
    format: Annotated[
        Format, typer.Option("--format", help="All columns, or a table in Markdown.")
    ] = Format.CSV,
    sort: Annotated[
        Sort | None,
        typer.Option(
            help="Order of the lines, for looking only: who picks the first row by its test score "
            "has chosen on the test movies. By default the order of the files.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Join leaderboards into one table, with the column `collection`.

    Collections must have the same labels, splits and test movies. Intervals and versions of each
    row stay as its collection wrote them.
    """
    from trailers12k.evaluation import leaderboards

    rows = leaderboards.ordered(leaderboards.join(places), sort.value if sort else "")
    if to:
        _check_output(to, [leaderboards.file_of(place) for place in places])
    write = leaderboards.as_csv if format is Format.CSV else leaderboards.as_markdown
    if to:
        write_text(to, write(rows))
        typer.echo(f"Wrote {to}.")
    else:
        typer.echo(write(rows), nl=False)


def _check_output(to: Path, files: Sequence[Path]) -> None:
    """Raise `UserError` if a file that is read, or a product of the workflow, would be replaced."""
    from trailers12k.settings.checks import OF_RUNS

    check_output(to, files)
    target = Path(os.path.realpath(to))
    for folder in _collections(files):
        if (folder / PUBLISHED).exists() and target.is_relative_to(os.path.realpath(folder)):
            raise UserError(
                f"{shown_path(to)} is in the publication {shown_path(folder)}, whose files are "
                "complete; choose another folder"
            )
        if target == Path(os.path.realpath(folder / SETTINGS)):
            raise UserError(f"{shown_path(to)} is a configuration; choose another name")
        for name in OF_RUNS:
            if target.is_relative_to(os.path.realpath(folder / name)):
                raise UserError(
                    f"{shown_path(to)} is in {name}/ of {shown_path(folder)}, which the workflow "
                    "writes; choose another folder"
                )


def _collections(files: Sequence[Path]) -> Iterator[Path]:
    """The folders of collections and publications that files belong to, and the current one."""
    for path in files:
        for name in (os.path.abspath(path), os.path.realpath(path)):
            own = Path(name).parent
            if own.name == "results":
                yield own.parent
            elif (own / SETTINGS).exists():
                yield own
    if Path(SETTINGS).exists():
        yield Path.cwd()
