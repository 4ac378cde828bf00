"""`trailers12k stages` and `trailers12k state`: what DVC needs of this project.

Writes dvc.yaml and build/state.tar.gz. Must not know what the stages do.
"""

import typer

from trailers12k.cli.collection import ConfigFiles, examples, require_config


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(
        "stages",
        short_help="Write dvc.yaml, for dvc repro.",
        epilog=examples("trailers12k stages && dvc repro"),
    )(stages)
    app.command("state", hidden=True)(state)


def stages(configfile: ConfigFiles = None) -> None:
    """Write dvc.yaml for this configuration, for a `dvc repro` before the first snapshot."""
    from trailers12k.versions.dvc_pipeline import dvc_yaml, write_stages
    from trailers12k.versions.snapshots import _plan

    require_config()
    files = configfile or ()
    write_stages(dvc_yaml(_plan(files), files))


def state() -> None:
    """Write build/state.tar.gz, as the last stage of dvc.yaml does."""
    from trailers12k.versions import run_state

    run_state.write()
