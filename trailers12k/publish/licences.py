"""Licences of the weights and the sources behind what is published.

Reads nothing; takes attributes of stores, and facts. Must not know the formats of a publication.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from trailers12k.common.vocabulary import PUBLISHED
from trailers12k.features.backbones.weights_licenses import is_non_commercial, recorded
from trailers12k.publish.facts import Facts, Licence, StoreFacts

OF_TRAILERS12K = "CC-BY-NC-SA-4.0"


def of_store(attributes: Mapping[str, Any]) -> Licence:
    """The licence of a store's weights, from the attributes of the store."""
    text = recorded(attributes)
    # Judged anew: the list of known licences grows.
    marked = attributes.get("weights_non_commercial") is True
    return Licence(text, marked or is_non_commercial(text))


def source_warnings(facts: Facts) -> list[str]:
    """A sentence for each source whose terms the publication may break."""
    found = []
    splits = facts.settings.get("splits")
    license = facts.statements.license
    if license not in ("", OF_TRAILERS12K) and (
        "trailers12k" in facts.sources or splits == PUBLISHED
    ):
        found.append(
            f"data of Trailers12k has {OF_TRAILERS12K}, under which alone it may be shared, and "
            f"publish.license is {license}"
        )
    if "imdb" in facts.sources:
        found.append(
            "movies: imdb: IMDb forbids publishing what its files hold; ask IMDb, or take titles "
            "and genres from another source"
        )
    return found


def warnings(stores: Iterable[StoreFacts]) -> list[str]:
    """A sentence for each licence of weights that forbids commercial use."""
    by_licence: dict[str, list[str]] = {}
    for store in stores:
        if store.licence.non_commercial:
            by_licence.setdefault(store.licence.text, []).append(store.name)
    return [
        f"the features of {', '.join(names)} were made with weights that forbid commercial use "
        f"({text}); check that the licence of the dataset allows for it"
        for text, names in by_licence.items()
    ]
