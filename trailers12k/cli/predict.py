"""`trailers12k predict`: estimates the genres of any trailer.

Starts Snakemake. Must not know how genres are predicted.
"""

import os
from typing import Annotated

import typer

from trailers12k.cli import snakemake
from trailers12k.cli.collection import PASS_THROUGH, examples
from trailers12k.common.files import file_address


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "predict",
        short_help="Estimate the genres of any trailer.",
        context_settings=PASS_THROUGH,
        epilog=examples(
            "trailers12k predict videos/trailer.mp4",
            "trailers12k predict https://example.org/trailer.mp4 --configfile full.yaml",
        ),
    )(predict)


def predict(
    context: typer.Context,
    trailer: Annotated[str, typer.Argument(metavar="FILE_OR_URL", show_default=False)],
) -> None:
    """Estimate the genres of a trailer with the best run of this collection.

    Prints the genres with their probabilities and writes them to results/predictions/. Further
    arguments are passed to Snakemake.
    """
    snakemake.check_folder()
    # Snakemake would read a file called 1, true or [x].mp4 as another type than text.
    address = file_address(trailer) if os.path.isfile(trailer) else trailer
    snakemake.replace_process(
        ["predict", *snakemake.with_config(context.args, f"trailer={address}")]
    )
