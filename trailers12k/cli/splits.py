"""`trailers12k splits`: stratified splits of any table of labels.

Reads and writes CSV files. Must not know how movies are assigned.
"""

import logging
from pathlib import Path
from typing import Annotated

import typer

from trailers12k.cli.collection import examples
from trailers12k.cli.output import check_output

TRIES = 5
"""That of the settings and of `splits.stratification`, which imports numpy."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "splits",
        short_help="Split a table of labels three times.",
        epilog=examples(
            "trailers12k splits labels.csv mtgc.csv --seed 1",
            "trailers12k splits more.csv new.csv --seed 1 --extend mtgc.csv --groups sequels.csv",
        ),
    )(splits)


def splits(
    labels: Annotated[
        Path,
        typer.Argument(
            metavar="LABELS.csv",
            help="A table with a column mid and one column of 0 and 1 per label.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Argument(metavar="OUT.csv", help="The table to write.", show_default=False),
    ],
    seed: Annotated[int, typer.Option(min=0, help="Seed of all random choices.")],
    tries: Annotated[int, typer.Option(min=1, help="Number of random starts.")] = TRIES,
    extend: Annotated[
        Path | None,
        typer.Option(metavar="OLD.csv", help="An earlier OUT.csv; its movies keep their subsets."),
    ] = None,
    groups: Annotated[
        Path | None,
        typer.Option(
            metavar="GROUPS.csv", help="A table mid,group; movies of a group stay together."
        ),
    ] = None,
) -> None:
    """Split the movies of a table into training, validation and test, three times.

    Shares are 70, 10 and 20 %. Labels and pairs of labels are balanced (second-order
    stratification). OUT.csv has the columns split0, split1 and split2: 0 training, 1 validation,
    2 test.
    """
    from trailers12k.splits.assignment import split_table

    check_output(out, (labels, extend, groups))
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    split_table(labels, out, seed, extend, groups, tries)
    typer.echo(f"Wrote {out}.")
