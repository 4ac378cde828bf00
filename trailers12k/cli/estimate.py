"""`trailers12k estimate`: how long a collection takes, and what disk and network it needs.

Reads the configuration, movie tables and figures; writes build/estimate.json with --measure. Must
not know the formulas.
"""

import shutil
from typing import TYPE_CHECKING, Annotated

import typer

from trailers12k.cli.collection import examples, read_settings

if TYPE_CHECKING:
    from trailers12k.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "estimate",
        short_help="Estimate the time, disk and network of a collection.",
        epilog=examples(
            "trailers12k estimate",
            "trailers12k estimate --movies 500      # as if the collection had 500 movies",
            "trailers12k estimate --measure         # time this machine first, about a minute",
        ),
    )(estimate)


def estimate(
    movies: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=10, help="Estimate for N movies instead of the collection's."
        ),
    ] = None,
    cores: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, help="Cores of the run. By default those of this machine."
        ),
    ] = None,
    measure: Annotated[
        bool,
        typer.Option(
            "--measure",
            help="First measure decoding, shot detection, each configured backbone and training on "
            "this machine, and keep the figures in build/estimate.json.",
        ),
    ] = False,
) -> None:
    """Estimate how long the collection of this folder takes, and what disk and network it needs.

    The estimate is for the whole collection, from nothing, on CPUs; trailers12k status has the time
    that a run has left. It rests on finished jobs of this folder where there are any, else on
    figures that --measure took, else on figures of another machine. The answer names the length of
    a trailer on which it rests: time and disk grow with it.
    """
    from trailers12k.workflow import estimate as formulas
    from trailers12k.workflow import estimate_inputs, estimate_text, measured

    settings = read_settings()
    if measure:
        _measure(settings)
    figures = estimate_inputs.figures(settings)
    size = estimate_inputs.collection(settings, movies)
    cores = cores or measured.cores()
    costs = formulas.estimate(settings, size, figures.figures, cores, figures.per_movie)
    free = shutil.disk_usage(".").free
    has_gpu = settings.device != "cpu"
    of_trailer = None if settings.is_published else formulas.trailer_bytes(settings, size)
    typer.echo(
        estimate_text.describe(costs, size, cores, figures.origin, free, has_gpu, of_trailer)
    )


def _measure(settings: "Settings") -> None:
    """Measure this machine, and keep the figures in this folder."""
    from dataclasses import fields

    from trailers12k.classifier import speed as training_speed
    from trailers12k.features import speed
    from trailers12k.video.clip_detection import ClipSettings
    from trailers12k.workflow import estimate_inputs, measured

    typer.echo("Measuring this machine, which takes about a minute ...", err=True)
    clip_names = {field.name for field in fields(ClipSettings)}
    clips = ClipSettings(
        **{k: v for k, v in settings.clips.model_dump().items() if k in clip_names}
    )
    figures = speed.measure(estimate_inputs.backbone_specs(settings), clips) | {
        "epoch": training_speed.measure()
    }
    measured.write(measured.OWN, figures)
