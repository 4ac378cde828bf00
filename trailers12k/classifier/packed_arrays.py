"""The array of a packed store for a job that needs it: packed again where it is missing.

Reads and writes build/packed/, reads the stores of data/. Must not know models.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def array_of(index: str | Path, store: str | Path) -> Path:
    """The array (NAME.npy) beside the index of a packed store (NAME.csv).

    store: the zarr store from which the array is packed, as the index lists it, when it is missing;
    by the first of several jobs. Raises `UserError` when the store lacks an array; see
    `packing.pack`.
    """
    index = Path(index)
    array = index.with_suffix(".npy")
    if not array.exists():
        with _locked(index.parent):
            if not array.exists():
                # Only here: it takes longer to import than to look for a file.
                from trailers12k.classifier.packing import pack

                pack(store, index, array)
    return array


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep other processes out, where the file system can; they would only pack in vain."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
