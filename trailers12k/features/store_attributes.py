"""The attributes of stores and of their arrays.

Reads stores. Must not import zarr: jobs that read nothing else of a store would wait for it.
"""

import os
from pathlib import Path

from trailers12k.common.bounded_files import parse_json, read_bytes, shown_path
from trailers12k.common.errors import UserError
from trailers12k.common.files import inside

MOST_BYTES = 1_000_000
"""Of .zattrs; ours have about 3000."""


def attributes(store: Path, mid: str = "") -> dict:
    """The attributes of a store, or of one movie's array; {} when it has none.

    Raises `UserError` when they are damaged.
    """
    path = (inside(store, mid) if mid else store) / ".zattrs"
    if not os.path.lexists(path):
        return {}
    own = parse_json(read_bytes(path, MOST_BYTES), path, not_finite=True)
    if not isinstance(own, dict):
        raise UserError(f"{shown_path(path)} holds a {type(own).__name__}; allowed: an object")
    return own
