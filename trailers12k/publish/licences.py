"""Licences of the weights behind the features that are published.

Reads nothing; takes the attributes of stores. Must not know the formats of a publication.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from trailers12k.features.backbones.weights_licenses import is_non_commercial, recorded
from trailers12k.publish.facts import Licence, StoreFacts


def of_store(attributes: Mapping[str, Any]) -> Licence:
    """The licence of a store's weights, from the attributes of the store."""
    text = recorded(attributes)
    # Judged anew: the list of known licences grows.
    marked = attributes.get("weights_non_commercial") is True
    return Licence(text, marked or is_non_commercial(text))


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
