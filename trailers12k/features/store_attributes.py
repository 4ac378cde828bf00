"""The attributes of stores and of their arrays.

Reads stores. Must not import zarr: jobs that read nothing else of a store would wait for it.
"""

import json
from pathlib import Path


def attributes(store: Path, mid: str = "") -> dict:
    """The attributes of a store, or of one movie's array; {} when it has none.

    Raises ValueError when they are damaged.
    """
    path = store / mid / ".zattrs"
    if not path.exists():
        return {}
    try:
        own = json.loads(path.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise ValueError(str(error)) from error
    if not isinstance(own, dict):
        raise ValueError(f"{type(own).__name__}, not an object")
    return own
