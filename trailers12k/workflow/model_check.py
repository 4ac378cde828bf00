"""Refuses models that do not exist before anything runs.

Reads the table of architectures, and asks timm and torchvision for those that it lacks. Must not
know rules.
"""

from difflib import get_close_matches

from trailers12k.common.bounded_files import quoted
from trailers12k.common.errors import UserError
from trailers12k.features.backbones.parameter_counts import architectures
from trailers12k.settings import Settings

LISTED = ("timm", "torchvision")
"""Families of which every architecture has a name in a library."""


def check_models(settings: Settings) -> None:
    """Raise `UserError` for a model that its library does not have, or that sees no clips."""
    if settings.is_published:  # no network is built
        return
    known = architectures()
    for store, backbone in settings.backbones.items():
        family = backbone.model.partition("/")[0]
        if family == "timm" and backbone.input == "clips":
            raise UserError(
                f"backbones.{store}.input: clips is not allowed for {backbone.model}, which sees "
                "single images; allowed: frames, posters"
            )
        own = backbone.model.partition(".")[0]
        if family not in LISTED or own in known or _exists(own):
            continue
        near = get_close_matches(own, known, 1)
        raise UserError(
            f"backbones.{store}.model: {quoted(backbone.model)} is no model of the installed "
            f"{family}; trailers12k backbones lists them{f', such as {near[0]}' if near else ''}"
        )


def _exists(architecture: str) -> bool:
    """Whether a library has an architecture. Where it is not installed, the jobs will tell."""
    try:
        from trailers12k.features.backbones.listing import exists
    except ImportError:
        return True
    return exists(architecture)
