"""The attributes of stores and of their arrays that are published: those that this workflow writes.

Reads and writes nothing. Must not know where the attributes lie.

Others may have added hosts, accounts and notes to a store.
"""

from collections.abc import Mapping
from typing import Any

from trailers12k.common.bounded_files import quoted
from trailers12k.publish.local_paths import without_paths
from trailers12k.settings.sections import ClipSettings

OF_STORE = frozenset(
    (
        *("backbone", "num_features", "input", "preprocessing", "crops", "precision", "device"),
        *("versions", "batch", "batch_across", "decoder", "image_frames", "frame_reduction"),
        *("weights", "weights_source", "weights_sha256", "pretrained", "weights_license"),
        *("code_license", "sample_rate", "channels", "context", "pooling", "processor", "revision"),
        *("weights_non_commercial", "detector_version", "determined_by", "fingerprint"),
        *ClipSettings.model_fields,
    )
)
OF_ARRAY = frozenset(
    (
        *("source_sha256", "decoder", "fingerprint", "precision", "device", "batch"),
        *("batch_across", "bars", "values_sha256", "_ARRAY_DIMENSIONS"),
    )
)


def of_store(own: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a store that are published. Raises ValueError where `num_features` is no number."""
    number = own.get("num_features")
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise ValueError(f".zattrs: num_features is {quoted(number)}, not a whole number above 0")
    return _known(own, OF_STORE)


def of_array(own: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a movie's array that are published."""
    return _known(own, OF_ARRAY)


def _known(own: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: without_paths(value) for name, value in own.items() if name in names}
