"""Names of weights: of their records, and in tables of results.

Reads and writes nothing. Must not import torch: the Snakefile imports this module.
"""

from collections.abc import Iterable, Mapping

from trailers12k.common.fingerprint import fingerprint
from trailers12k.common.vocabulary import UNTRAINED


def weights_key(spec: Mapping[str, object]) -> str:
    """The name of the record of a backbone's pretrained weights; equal weights share it.

    spec: `model`, and `file` or `sha256` where the configuration names them.
    """
    own = {key: spec[key] for key in ("file", "sha256") if key in spec}
    model = str(spec["model"]).replace("/", ".")
    return model + (f".{fingerprint(**own)[:8]}" if own else "")


def describe_weights(stores: Iterable[Mapping[str, object]]) -> str:
    """The weights behind stores, from their attributes, marked `UNTRAINED` where they are random.

    The authors' published stores record no weights: "as published".
    """
    names = []
    for attributes in stores:
        if "weights" not in attributes:
            names.append("as published")
        elif attributes["pretrained"]:
            names.append(str(attributes["weights"]))
        else:
            names.append(f"{UNTRAINED} ({attributes['weights']})")
    return " + ".join(dict.fromkeys(names))


def pretrained_of(stores: Iterable[Mapping[str, object]]) -> bool | None:
    """Whether all weights behind stores are pretrained, from their attributes.

    False when one store has random weights; None when one does not record it.
    """
    values = [attributes.get("pretrained") for attributes in stores]
    if False in values:
        return False
    return None if None in values else True
