"""`trailers12k stores`: what made a store of features, and whether it is intact.

Reads stores and the tables beside them; `--repair` removes arrays. Must not know what the numbers
mean.
"""

from pathlib import Path
from typing import Annotated

import typer

from trailers12k.cli.collection import examples
from trailers12k.common.bounded_files import shown_path
from trailers12k.common.errors import UserError

Store = Annotated[
    Path,
    typer.Argument(
        metavar="STORE", help="A store, such as data/posters_i_swin.zarr.", show_default=False
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    stores = typer.Typer(
        name="stores",
        help="Describe or verify stores of features.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    stores.command(
        "describe", epilog=examples("trailers12k stores describe data/posters_i_swin.zarr")
    )(describe)
    stores.command(
        "verify",
        epilog=examples(
            "trailers12k stores verify data/posters_i_swin.zarr",
            "trailers12k stores verify data/posters_i_swin.zarr --repair",
            "trailers12k stores verify posters_i_swin.zarr --clips other/clips.csv",
        ),
    )(verify)
    app.add_typer(stores)


def describe(store: Store) -> None:
    """Print what a store holds and what made it: model, weights, preprocessing, versions."""
    from trailers12k.features.store import describe

    _require_store(store)
    typer.echo(describe(store))


def verify(
    store: Store,
    clips: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="clips.csv; by default the one beside the store."),
    ] = None,
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Remove damaged arrays; the next run computes them again."),
    ] = False,
) -> None:
    """Read every array of a store and print each fault; exit code 1 if one is left.

    Compares values, fingerprints, the manifest STORE.csv and clips.csv. Changes no file without
    --repair.
    """
    from trailers12k.features import integrity
    from trailers12k.features.store import movies

    _require_store(store)
    if clips and not clips.is_file():
        raise UserError(f"{shown_path(clips)} does not exist")
    manifest, beside = store.with_suffix(".csv"), clips or store.parent / "clips.csv"
    tables = [path if path.is_file() else None for path in (manifest, beside)]
    faults = integrity.verify(store, *tables)
    for fault in faults:
        typer.echo(fault)
    names = [str(path) for path in tables if path]
    compared = f"compared with {' and '.join(names)}" if names else "no table beside it to compare"
    result = {0: "no faults", 1: "1 fault"}.get(len(faults), f"{len(faults)} faults")
    typer.echo(f"{store}: {len(movies(store))} movies, {result} ({compared})")
    if repair and faults:
        removed = integrity.repair(store, faults)
        for mid in removed:
            typer.echo(f"removed {mid}")
        typer.echo("The next run computes removed arrays and writes damaged tables again.")
        faults = [fault for fault in faults if fault.mid not in removed]
    if faults:
        raise typer.Exit(1)


def _require_store(store: Path) -> None:
    if not store.exists():
        raise UserError(f"{shown_path(store)} does not exist")
    if not (store / ".zgroup").is_file():
        raise UserError(f"{shown_path(store)} is not a store: it has no .zgroup")
