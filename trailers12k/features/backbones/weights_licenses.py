"""Licences of weights: what their publisher states, and whether that forbids commercial use.

Reads weights_licenses.csv, the licences of torchvision's and timm's weights, which
`python -m trailers12k.features.backbones.listing` writes. Must not import anything slow: the
Snakefile imports this module.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from trailers12k.common.files import read_csv

TABLE = Path(__file__).with_name("weights_licenses.csv")
"""`model,license` of all models whose publisher states a licence."""
NOT_STATED = "not stated"
NONE = "none"
"""The licence of random weights, which nobody published."""
NO_WEIGHTS = "no weights"
"""The licence of a model that has none, such as log-mel statistics."""
PACKAGED_LICENSES = {"timm": "apache-2.0", "silero": "mit"}
"""Family -> the licence of the pip package with the weights of one of its models."""

NON_COMMERCIAL = re.compile(
    r"\bnon-?\s?commercial|\bcc-by-nc|\bresearch[- ](only|use|purposes?)|\bacademic[- ](only|use)"
)
"""Words of a licence that forbids commercial use, and Creative Commons' names of such licences."""
NON_COMMERCIAL_NAMES = (
    # Apple's licence of models for research, and NVIDIA's and Meta's, by the names that hubs use.
    *("apple-amlr", "nvclv1", "seer-license"),
    # CC BY-NC 4.0, to which torchvision only links.
    "https://github.com/facebookresearch/swag/blob/main/license",
)
"""Licences that forbid commercial use, without a word of it in their names."""


def is_non_commercial(license: str) -> bool:
    """Whether a licence, as its publisher states it, is known to forbid commercial use."""
    text = " ".join(license.lower().replace("_", "-").split())
    named = text.replace("cc by", "cc-by").replace("by nc", "by-nc")
    return text in NON_COMMERCIAL_NAMES or bool(NON_COMMERCIAL.search(named))


def license_of(model: str, weights: str, file: str | None = None, stated: str | None = None) -> str:
    """The licence of a backbone's weights, as their publisher states it.

    model, weights: see `BackboneSpec`. file: the user's own, which may hold any weights. stated: by
    the user, who knows best.
    """
    if weights == "random":
        return NONE
    if weights == "none":
        return NO_WEIGHTS
    if stated:
        return stated
    family = model.partition("/")[0]
    if weights == "package":
        return PACKAGED_LICENSES.get(family, NOT_STATED)
    # The weights of this family can only be had as a file.
    is_published = file is None or family == "shufflenet3d"
    # A revision is named after an @.
    named = model.partition("@")[0]
    return _published().get(named, NOT_STATED) if is_published else NOT_STATED


def attributes(license: str) -> dict[str, Any]:
    """What a store records of the licence of its weights."""
    return {"weights_license": license, "weights_non_commercial": is_non_commercial(license)}


def recorded(about: Mapping[str, Any]) -> str:
    """The licence that the attributes of a store record; stores of earlier versions do not."""
    if isinstance(license := about.get("weights_license"), str):
        return license
    return NONE if about.get("pretrained") is False else NOT_STATED


@cache
def _published() -> dict[str, str]:
    rows = read_csv(TABLE, ["model", "license"], key=["model"])
    return {row["model"]: row["license"] for row in rows}
