"""The arrays of packed stores, and a record of each: one that is missing or was changed is packed
again.

Reads and writes build/packed/, reads the stores of data/. Must not know models.
"""

import fcntl
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from trailers12k.common.bounded_files import read_small
from trailers12k.common.content_hashes import content_of
from trailers12k.common.files import write_json

log = logging.getLogger(__name__)


def pack(store: str | Path, manifest: str | Path, index: str | Path) -> None:
    """Pack a store into the array NAME.npy beside its index NAME.csv, and record both.

    Raises `UserError` when the store lacks an array of the manifest; see `packing.pack`.
    """
    # Only here: it takes longer to import than to look for a file.
    from trailers12k.classifier import packing

    packing.pack(store, manifest, Path(index).with_suffix(".npy"))
    write_json(record_of(index), _hashes(index))


def array_of(index: str | Path, store: str | Path) -> Path:
    """The array (NAME.npy) beside the index of a packed store (NAME.csv).

    store: the zarr store from which the first of several jobs packs the array again, as the index
    lists it, when it is missing or not the one that was packed. Raises `UserError` when the store
    lacks an array.
    """
    index = Path(index)
    array = index.with_suffix(".npy")
    # The others wait: they would only read or pack the same.
    with _locked(index.parent):
        if not is_packed(index):
            if array.exists():
                log.warning("%s is not as its record says; it is packed again", array)
            pack(store, index, index)
    return array


def is_packed(index: str | Path) -> bool:
    """Whether an array and its index are those that were packed together.

    A large array of the same size, time and inode as when it was last read is not read.
    """
    try:
        record = json.loads(read_small(record_of(index)))
    except (OSError, ValueError, RecursionError):
        return False
    is_file = Path(index).is_file() and Path(index).with_suffix(".npy").is_file()
    return is_file and bool(record == _hashes(index))


def record_of(index: str | Path) -> Path:
    """The record of an array and its index: the sha256 of both when they were packed."""
    return Path(index).with_suffix(".json")


def _hashes(index: str | Path) -> dict[str, str | None]:
    return {"array": content_of(Path(index).with_suffix(".npy")), "index": content_of(index)}


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep other processes out, where the file system can."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
