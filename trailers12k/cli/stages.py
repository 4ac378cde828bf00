"""`trailers12k stages` and `trailers12k state`: what DVC needs of this project.

Writes dvc.yaml, code_versions.json and build/state.tar.gz. Must not know what the stages do.
"""

from typing import Annotated

import typer

from trailers12k.cli.collection import examples, read_settings, require_config


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(
        "stages",
        short_help="Write dvc.yaml, for dvc repro.",
        epilog=examples("trailers12k stages && dvc repro"),
    )(stages)
    app.command("state", hidden=True)(state)


def stages(
    code: Annotated[
        bool, typer.Option("--code", help="Write code_versions.json only.", hidden=True)
    ] = False,
) -> None:
    """Write dvc.yaml and code_versions.json for this configuration and code, for `dvc repro`.

    `trailers12k snapshot` writes both as well. Call this before a `dvc repro` with other stores,
    runs or tables, or with another version of the code.
    """
    from trailers12k.versions.dvc_pipeline import pipeline_of, write_code_versions, write_pipeline
    from trailers12k.versions.repository import set_up

    require_config()
    if code:
        write_code_versions()
        return
    pipeline = pipeline_of(read_settings())
    if done := set_up():
        typer.echo(done)
    write_pipeline(pipeline)


def state() -> None:
    """Write build/state.tar.gz, as the last stage of dvc.yaml does."""
    from trailers12k.versions import run_state

    run_state.write()
