"""`trailers12k verify`: whether the products of this folder are as their jobs wrote them.

Reads data/, build/ and results/; `--repair` moves and replaces files there. Must not know how
products are compared.
"""

from typing import Annotated

import typer

from trailers12k.cli.collection import examples, read_config, require_config
from trailers12k.common.errors import UserError

COMMAND = "trailers12k verify --repair"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "verify",
        short_help="Find damaged products and repair them.",
        epilog=examples("trailers12k verify", COMMAND),
    )(verify)


def verify(
    repair: Annotated[
        bool,
        typer.Option(
            "--repair",
            help="Put damaged files back, or move them to build/damaged/ and let the next run make "
            "them again.",
        ),
    ] = False,
) -> None:
    """Compare every product with what its job wrote, and print each fault; exit code 1 if one is
    left.

    Reads all files that have a record in build/records/, every trailer and poster, and every array
    of the stores in data/. A recorded file that the configuration asks for must be there.
    Changes no file without --repair, which deletes none but damaged arrays. Not while a run is at
    work.
    """
    from trailers12k.settings import load
    from trailers12k.versions.planned_jobs import refuse_running
    from trailers12k.workflow import product_check
    from trailers12k.workflow.targets import default_files

    require_config()
    refuse_running("verify")
    # Without `read_settings`, which a damaged build/collection.json stops.
    expected = {*default_files(load(read_config()))}
    result = product_check.check(expected)
    left = 0
    for fault in result.faults:
        line = f"{fault.path} {fault.reason}"
        if not repair and fault.is_missing:
            line += "; run: trailers12k run"
        elif not repair:
            line += f"; {COMMAND} {fault.remedy}" if fault.remedy else ""
        elif fault.remedy or fault.is_missing:
            try:
                line += f": {product_check.repair(fault)}"
            except (UserError, OSError) as error:
                left, line = left + 1, f"{line}; not repaired: {error}"
        else:
            left += 1
        typer.echo(line)
    typer.echo(_sum(result.files, result.stores, len(result.faults), left if repair else None))
    if left or (result.faults and not repair):
        raise typer.Exit(1)
    if result.faults:
        typer.echo("Now run again: trailers12k run")


def _sum(files: int, stores: int, faults: int, left: int | None) -> str:
    """The last line. left: the faults that a repair left; None without a repair."""
    counts = ((files, "recorded file"), (stores, "store"), (faults, "fault"))
    words = [f"{count or 'no'} {name}{'' if count == 1 else 's'}" for count, name in counts]
    ending = f", {left or 'none'} left" if faults and left is not None else ""
    return f"{words[0]} and {words[1]}: {words[2]}{ending}"
