"""`trailers12k predict`: estimates the genres of any trailer.

Starts Snakemake. Must not know how genres are predicted.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from trailers12k.cli import snakemake
from trailers12k.cli.collection import PASS_THROUGH, examples
from trailers12k.common.files import file_address
from trailers12k.common.local_files import as_path
from trailers12k.common.movie import address_of


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "predict",
        short_help="Estimate the genres of any trailer.",
        context_settings=PASS_THROUGH,
        epilog=examples(
            "trailers12k predict videos/trailer.mp4",
            "trailers12k predict https://example.org/trailer.mp4",
        ),
    )(predict)


def predict(
    context: typer.Context,
    trailer: Annotated[
        str,
        typer.Argument(
            metavar="FILE_OR_URL", help="A video file, or a trailer's URL.", show_default=False
        ),
    ],
) -> None:
    """Estimate the genres of a trailer with the best run of this collection.

    Prints the genres with their probabilities and writes them to results/predictions/. Further
    arguments are passed to Snakemake.
    """
    snakemake.check_folder(context.args)
    address = _address(trailer, context.args)
    # Snakemake would read a file called 1, true or `a: b.mp4` as another type than text, and a
    # cluster's shell would read its quotes.
    entry = file_address(address) if os.path.lexists(trailer) else json.dumps(address)
    arguments = ["predict", *snakemake.with_config(context.args, f"trailer={entry}")]
    raise typer.Exit(snakemake.run(arguments))


def _address(trailer: str, arguments: Sequence[str]) -> str:
    """The trailer as the workflow names it: a path from its working directory, or a URL.

    A file of this name counts before a YouTube id.
    """
    path = Path(trailer)
    if not os.path.lexists(path):
        return address_of(trailer)
    moves = any(word.startswith(("--directory", "-d")) for word in arguments)
    return str(path.resolve()) if moves else as_path(trailer)
